"""Errors, rules, text and files: what any room may need.

* `errors`: the tree of exceptions; each of them has a place for offset, record, type and provider
* `problems`: `Rule`, `Problem` and `Finding`, the steps from "this is forbidden" to "here it is broken"
* `rules`: the core's rules, and the one place that settles the severity and errno of a problem
* `text`: parts of messages, such as names close to a misspelt one
* `io`: files that are written whole or not at all, and reads and writes that the system cuts short
* `xen_version`: versions of Xen, and their order
* `gc_pause`: creation of many objects without garbage collection

Imports no other room, and every room imports it. What two rooms need belongs here if it can be
explained without images, plugins and the command line. Ids of rules and names of errors are public.
"""

"""Generate functions for one body class, which are fast and handle valid input only.

* `source`: functions compiled from source text, and `NotApplicable`
* `constructors`: `__init__`, and bodies from rows of values
* `decoder`, `encoder`: bytes to a body and back
* `json_codec`: bytes to JSON and back, without a body
* `regex`: a pattern that valid bodies match

Input that breaks a rule, or may, raises `NotApplicable` and goes to the interpreted code of `Layout`, which
reports the problems. So each function here needs no message, and gives exactly what `Layout` gives for the
same input; tests compare the two.
"""

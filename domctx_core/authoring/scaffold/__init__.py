"""Write the package of a new plugin.

* `new_plugin`: names, type code and files of the package
* `templates/`: its files, with placeholders. What is written passes its own tests and linters unchanged
"""

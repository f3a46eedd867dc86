"""Hold many bodies of one class with a fixed size, field by field.

* `arrays`: strided columns of numbers, read, written and compared without a loop
* `fixed_layout`: where each field is in its record
* `record_table`: records as bytes, and the columns in them
* `columns`: `Columns`, which authors and domains use
* `column_runs`: several of them in a row, and which has an instance
"""

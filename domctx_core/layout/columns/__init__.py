"""Columns: the records of one type with a body of fixed size, field by field.

arrays          strided columns of numbers: read, write, compare
fixed_layout    where each field of a class is, and how columns get into records
record_table    records as bytes, and the columns in them
columns         `Columns`, the run that authors and domains use
column_runs     several runs, and which of them has an instance
"""

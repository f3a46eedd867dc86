"""Verification: every finding of an input, record by record and in batches.

verdict       `verify` and `judge`: a walk over an input, judged
verifier      the findings of each event of a walk
record_judge  the findings of one record
check_runner  the checks across records
state         what is kept of each container, and batches of valid records
batches       many records validated by one pattern
proof         the pattern of the valid records of a type
bulk          bulk records, of which only the heads are read
"""

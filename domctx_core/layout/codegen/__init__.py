"""Code generation: functions for one body class, which are fast and handle valid input only.

Input that breaks a rule, or may, raises `source.NotApplicable`, and goes to the interpreted code of
`Layout`, which reports the problems. So each function here needs no message, and gives exactly what
`Layout` gives for the same input; tests compare the two.
"""

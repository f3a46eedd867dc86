"""The reader: an input of any known format as a sequence of events, without a domain.

sources     the bytes of an input by offset: memory, file, pipe
copying     streams that write what they read to a target
passing     a pipe that can give its latest bytes again
splice      an output as chunks of its own and ranges of an input
header      record headers
record      a record, the container that holds it, and what is known of its type
events      what a walk yields, and the batches that it may take
framing     prologues and records, read at an offset
walker      `walk`: from the outermost container to the innermost and back
"""

"""The reader: an input of any known format as a sequence of events, bodies decoded when they are looked at."""

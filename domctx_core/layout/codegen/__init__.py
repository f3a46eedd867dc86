"""Code generation: functions written out for one layout, for input that breaks no rule."""

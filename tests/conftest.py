"""What all tests here take for granted."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell that starts us in the background has us, and all that we start, ignore Ctrl-C, which
    # is what some tests are about
    signal.signal(signal.SIGINT, signal.default_int_handler)

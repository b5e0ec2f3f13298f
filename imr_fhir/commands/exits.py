"""What a command's exit code says, the same for each verb, so that a script can act on it."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FAILED = 1  # not done; the sentence on standard error says why and what next
    USAGE = 2  # the command line is wrong (click's own)
    FOUND = 3  # done, and there is something to look at: a conflict, a difference, a finding, a "no"
    PARTLY = 4  # some of it is done; the output says what, and how to go on

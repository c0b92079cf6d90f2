# SPDX-License-Identifier: Apache-2.0
"""The lines of --stats on a terminal, wide and narrow: each replaces the one
before, which one that is wrapped could not.

    terminal.py FDLINK [OPTION]...
"""

import fcntl
import os
import pty
import struct
import sys
import termios
import time

from wire_process import PATIENCE, carries, start

LINES = 3


def open_terminal(columns):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                struct.pack('4H', 24, columns, 0, 0))
    return ours, theirs


def read_lines(ours, one, other):
    """Returns the lines that were written over each other, as they were."""
    end = time.monotonic() + PATIENCE
    said = b''
    os.set_blocking(ours, False)
    while said.count(b'\r') <= LINES + 1:
        assert time.monotonic() < end, said
        carries(one, other, 20)
        try:
            said += os.read(ours, 65536)
        except BlockingIOError:
            pass
    first, *lines = said.decode().split('\r')[1:-1]
    assert first == '\n', said
    return lines


def expect_in_place(columns, words):
    ours, theirs = open_terminal(columns)
    process, one, other = start(sys.argv[1], ['--stats', '1'] + sys.argv[2:],
                                stdout=theirs)
    os.close(theirs)
    lines = read_lines(ours, one, other)
    process.terminate()
    os.set_blocking(ours, True)
    try:
        while os.read(ours, 65536):
            pass
    except OSError:     # nobody has the other side any more
        pass
    assert process.wait(PATIENCE) == 0
    os.close(ours)
    one.close()
    other.close()
    for line in lines:
        assert '\n' not in line and len(line) < columns, lines
        for word in words:
            assert word in line, (word, lines)


expect_in_place(200, ['A>B', ' Mbit/s', ' dropped   B>A', 'A up, B up'])
expect_in_place(80, ['A>B', 'p/s', 'bit/s', 'B>A', 'drops'])
expect_in_place(10, ['s A>'])

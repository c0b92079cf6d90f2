# SPDX-License-Identifier: Apache-2.0
"""A virtual machine for the tests: what it starts from, and a TAP for QEMU.

    guest.py initramfs FILE BUSYBOX KERNEL-FOLDER INIT
    guest.py tap DEVICE COMMAND...      run it with the TAP as fd 3
"""

import fcntl
import os
import struct
import sys

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 2, 0x1000


class Archive:
    """A cpio archive in the form that Linux unpacks (buffer-format.rst)."""

    def __init__(self, path):
        self.file = open(path, 'wb')
        self.number = 0

    def add(self, name, mode, data=b'', device=(0, 0)):
        self.number += 1
        name = name.encode() + b'\0'
        fields = [self.number, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
                  len(name), 0]
        head = b'070701' + b''.join(b'%08x' % n for n in fields) + name
        for part in head, data:
            self.file.write(part + bytes(-len(part) % 4))

    def close(self):
        self.add('TRAILER!!!', 0)
        self.file.close()


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def initramfs(path, busybox, kernel, init):
    made = Archive(path)
    for folder in 'bin', 'dev', 'proc', 'sys', 'drivers', 'www', 'www/cgi-bin':
        made.add(folder, 0o40755)
    made.add('dev/console', 0o20600, device=(5, 1))
    made.add('bin/busybox', 0o100755, read(busybox))
    made.add('init', 0o100755, read(init))
    names = read(os.path.join(kernel, 'drivers')).decode().split()
    for i, name in enumerate(names):
        made.add('drivers/%d-%s' % (i, name), 0o100644,
                 read(os.path.join(kernel, name)))
    made.close()


def tap(device, command):
    fd = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack(
        '16sH22x', device.encode(), IFF_TAP | IFF_NO_PI))
    os.dup2(fd, 3)
    os.set_inheritable(3, True)
    os.execvp(command[0], command)


if sys.argv[1] == 'initramfs':
    initramfs(*sys.argv[2:])
else:
    tap(sys.argv[2], sys.argv[3:])

# SPDX-License-Identifier: Apache-2.0
"""Devices for the measurements, and the stacks on them.

All in the namespace this process was started in, which ends with it, and a
second one for the kernel at the far end of a veth:

    here                                  peer namespace
    fdv0 ------------------------------- fdv1        rx, tx (one namespace)
    TAP fdtN, 10.0.N.1                               a stack at 10.0.N.2
    fdvN, a stack at 10.0.N.2 ---------- fdwN, 10.0.N.1
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys

INSIDE = 'FDLINK_BENCH_INSIDE'
TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI = 2, 0x1000
SOL_PACKET, PACKET_VNET_HDR = 263, 15
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
ETH_P_ALL = 3
# Nothing outlives this process, however it ends.
WITH_US = ['setpriv', '--pdeathsig', 'KILL']
BUFFER = 4 << 20


def enter_namespace():
    """Start this program over in a namespace of our own. Returns inside it."""
    if os.environ.get(INSIDE):
        return
    os.environ[INSIDE] = '1'
    how = '-n' if os.geteuid() == 0 else '-Urn'
    os.execvp('unshare', ['unshare', how, sys.executable] + sys.argv)


def ip(*words):
    done = subprocess.run(('ip',) + words, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode:
        raise OSError('ip %s: %s' % (' '.join(words), done.stderr.strip()))


def sysctl(name, value):
    with open('/proc/sys/' + name.replace('.', '/'), 'w',
              encoding='ascii') as f:
        f.write(value)


def prepare():
    ip('link', 'set', 'lo', 'up')
    sysctl('net.ipv6.conf.default.accept_dad', '0')


class Quiet:
    """The devices of rx and tx, without traffic of the kernel's own."""

    def __enter__(self):
        sysctl('net.ipv6.conf.default.disable_ipv6', '1')
        ip('link', 'add', 'fdv0', 'type', 'veth', 'peer', 'name', 'fdv1')
        ip('link', 'set', 'fdv0', 'up')
        ip('link', 'set', 'fdv1', 'up')
        return self

    def __exit__(self, *exc):
        ip('link', 'delete', 'fdv0')
        sysctl('net.ipv6.conf.default.disable_ipv6', '0')


class Peer:
    """The second namespace: held by a process that sleeps."""

    def __enter__(self):
        self.holder = subprocess.Popen(
            WITH_US + ['unshare', '-n', 'sh', '-c', 'echo; exec sleep 7200'],
            stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.inside = ['nsenter', '-t', str(self.holder.pid), '-n']
        subprocess.run(self.inside + ['ip', 'link', 'set', 'lo', 'up'],
                       check=True)
        return self

    def __exit__(self, *exc):
        self.holder.kill()
        self.holder.wait()

    def veth(self, n):
        """fdvN here, its peer with an address there."""
        here, there = 'fdv%d' % n, 'fdw%d' % n
        ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there,
           'netns', str(self.holder.pid))
        ip('link', 'set', here, 'up')
        for words in (['address', 'add', '10.0.%d.1/24' % n, 'dev', there],
                      ['address', 'add', 'fd00:%x::1/64' % n, 'dev', there,
                       'nodad'],
                      ['link', 'set', there, 'up']):
            subprocess.run(self.inside + ['ip'] + words, check=True)
        return here


def tap(n):
    name = 'fdt%d' % n
    ip('tuntap', 'add', 'dev', name, 'mode', 'tap')
    ip('address', 'add', '10.0.%d.1/24' % n, 'dev', name)
    ip('address', 'add', 'fd00:%x::1/64' % n, 'dev', name, 'nodad')
    ip('link', 'set', name, 'up')
    return name


def open_tap(name):
    fd = os.open('/dev/net/tun', os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF,
                struct.pack('16sH22x', name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def open_packet(name, vnet_hdr):
    """An AF_PACKET socket as runsc sets it up for its stack."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    for force, plain in ((SO_RCVBUFFORCE, socket.SO_RCVBUF),
                         (SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            s.setsockopt(socket.SOL_SOCKET, force, BUFFER)
        except OSError:
            s.setsockopt(socket.SOL_SOCKET, plain, BUFFER)
    if vnet_hdr:
        s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    s.bind((name, ETH_P_ALL))
    return s.detach()


class Stack:
    """A process on the first CPU that serves ports 7, 9 and 19."""

    def __init__(self, argv, fd=None):
        self.process = subprocess.Popen(
            WITH_US + argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=() if fd is None else (fd,),
            preexec_fn=lambda: os.sched_setaffinity(
                0, {min(os.sched_getaffinity(0))}))
        if fd is not None:
            os.close(fd)
        if b'up' not in self.process.stdout.readline():
            self.process.kill()
            why = self.process.communicate()[1].decode().strip()
            raise OSError(why or '%s did not start' % argv[0])

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

# SPDX-License-Identifier: Apache-2.0
"""A wire as systemd starts it: with its sockets, and told when it is up.

    systemd.py FDLINK [OPTION]...
"""

import os
import pwd
import socket
import subprocess
import sys
import tempfile

from wire_process import PATIENCE, carries, frame

# What systemd passes has the numbers from 3 on, and is for one process.
PASS = ('exec 3<&"$A" 4<&"$B"; export LISTEN_PID=$$ LISTEN_FDS=2 '
        'LISTEN_FDNAMES=left:right; exec "$@"')
PEERS = {socket.SOCK_SEQPACKET: 'seqpacket', socket.SOCK_DGRAM: 'datagram'}


class Manager:
    """Where NOTIFY_SOCKET leads."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace('@', '\0', 1))
        self.socket.settimeout(PATIENCE)

    def next(self):
        return self.socket.recv(1000).decode().split('\n')

    def has_more(self):
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1000))
        except BlockingIOError:
            return False
        finally:
            self.socket.settimeout(PATIENCE)


def listener(path, kind):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(path)
    if kind == socket.SOCK_SEQPACKET:
        s.listen()
    return s


def peer(path, kind):
    s = socket.socket(socket.AF_UNIX, kind)
    s.settimeout(PATIENCE)
    if kind == socket.SOCK_DGRAM:
        s.bind(path + '.peer')
    s.connect(path)
    return s


def meet(one, other):
    """What is sent before both have been met is lost. The peer of a datagram
    socket is the first one that sends."""
    for s in one, other:
        s.settimeout(.1)
    came = set()
    while len(came) < 2:
        for here, there in (one, other), (other, one):
            here.send(frame(0))
            try:
                there.recv(2048)
                came.add(there)
            except TimeoutError:
                pass
    for s in one, other:
        s.settimeout(PATIENCE)
    for here, there in (one, other), (other, one):
        here.send(frame(1))
        while there.recv(2048) != frame(1):
            pass


def start(fdlink, ends, listeners, environment, options):
    env = dict(os.environ, A=str(listeners[0].fileno()),
               B=str(listeners[1].fileno()), **environment)
    return subprocess.Popen(
        ['bash', '-c', PASS, 'systemd', fdlink, 'connect', *ends, *options],
        pass_fds=[s.fileno() for s in listeners], env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def serves(fdlink, kind, ends, notify, options):
    """It is up before anybody has come, and says so once."""
    with tempfile.TemporaryDirectory(prefix='fdlink-test.') as folder:
        paths = [os.path.join(folder, name) for name in ('left', 'right')]
        listeners = [listener(path, kind) for path in paths]
        manager = Manager(notify.format(folder))
        process = start(fdlink, ends, listeners,
                        {'NOTIFY_SOCKET': manager.name}, options)
        for s in listeners:
            s.close()
        try:
            said = manager.next()
            assert said[0] == 'READY=1', said
            assert said[1].startswith('STATUS='), said
            one, other = (peer(path, kind) for path in paths)
            meet(one, other)
            carries(one, other)
            assert not manager.has_more(), 'it says more than once'
        finally:
            process.terminate()
            error = process.communicate()[1]
        assert process.returncode == 0, error
        assert manager.next() == ['STOPPING=1']
        print('%s, %s: passed' % (PEERS[kind], ' '.join(ends)))


def refuses(fdlink, options):
    """A link that cannot be had is told of, and nothing is ready."""
    with tempfile.TemporaryDirectory(prefix='fdlink-test.') as folder:
        listeners = [listener(os.path.join(folder, name),
                              socket.SOCK_SEQPACKET) for name in 'ab']
        manager = Manager(folder + '/notify')
        process = start(fdlink, ('fd:left', 'fd:middle'), listeners,
                        {'NOTIFY_SOCKET': manager.name}, options)
        error = process.communicate()[1]
        assert process.returncode == 1, process.returncode
        assert 'middle' in error, error
        assert not manager.has_more(), 'it says that it is ready'


def unit_capabilities(fdlink):
    """Those of the unit that is built beside the command, for setpriv(1)."""
    unit = os.path.join(os.path.dirname(fdlink), 'fdlink-connect@.service')
    with open(unit, encoding='utf-8') as lines:
        words = [word for line in lines for word in
                 line.replace('=', ' ').split()]
    names = {w[4:].lower() for w in words if w.startswith('CAP_')}
    assert names
    return ','.join(['-all', *sorted('+' + name for name in names)])


def is_root_of_all():
    """Who is root of a namespace with one user cannot be nobody."""
    return subprocess.run(['setpriv', '--reuid', 'nobody', '--clear-groups',
                           'true'], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def has_what_it_needs(fdlink, options):
    """With the unit's capabilities a wire joins the socket of another user, and
    becomes that user, with a control socket."""
    without = subprocess.check_output([fdlink, '--version'], text=True)
    if 'libmicrohttpd' in without or 'libcap-ng' in without:
        print('capabilities of the unit: skipped: this build is without them')
        return
    if os.geteuid() or not is_root_of_all():
        print('capabilities of the unit: skipped: this takes root')
        return
    if '--no-sandbox' in options:
        print('capabilities of the unit: skipped: --user is of the sandbox')
        return
    nobody = pwd.getpwnam('nobody')
    with tempfile.TemporaryDirectory(prefix='fdlink-test.') as folder:
        path, control = folder + '/peer', folder + '/control'
        there = listener(path, socket.SOCK_SEQPACKET)
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
        os.chmod(path, 0o600)
        manager = Manager(folder + '/notify')
        process = subprocess.Popen(
            ['setpriv', '--bounding-set', unit_capabilities(fdlink), fdlink,
             'connect', 'null:', 'seqpacket:' + path, '--user', 'nobody',
             '--control', control, *options],
            env=dict(os.environ, NOTIFY_SOCKET=manager.name),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        there.settimeout(PATIENCE)
        try:
            there.accept()[0].close()
            process.wait(PATIENCE)
        finally:
            process.kill()
            error = process.communicate()[1]
        assert process.returncode == 0, error
        without_chown = subprocess.run(
            ['setpriv', '--bounding-set', '-chown', fdlink, 'connect', 'null:',
             'null:', '--user', 'nobody', '--control', control, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            check=False)
        assert without_chown.returncode == 1
        assert 'CAP_CHOWN' in without_chown.stderr, without_chown.stderr
        assert not os.path.exists(control), 'its file stays'
        print('capabilities of the unit: passed')


def main():
    fdlink, options = sys.argv[1], sys.argv[2:]
    for kind in PEERS:
        serves(fdlink, kind, ('fd:left', 'fd:right'), '{}/notify', options)
        serves(fdlink, kind, ('fd:4,reconnect', 'fd:3'),
               '@fdlink-%d' % os.getpid(), options)
    refuses(fdlink, options)
    has_what_it_needs(fdlink, options)


if __name__ == '__main__':
    main()

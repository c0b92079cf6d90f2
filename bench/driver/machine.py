# SPDX-License-Identifier: Apache-2.0
"""Where a run was made, and with what."""

import os
import platform
import subprocess


def output(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True,
                              check=False)
    except OSError:
        return ''
    return done.stdout.strip() if done.returncode == 0 else ''


def field(path, name):
    try:
        with open(path, encoding='utf-8') as f:
            for line in f:
                key, _, value = line.replace('=', ':', 1).partition(':')
                if key.strip() == name:
                    return value.strip().strip('"')
    except OSError:
        pass
    return ''


def describe():
    return {
        'cpu': field('/proc/cpuinfo', 'model name') or platform.machine(),
        'cpus': len(os.sched_getaffinity(0)),
        'memory': field('/proc/meminfo', 'MemTotal'),
        'kernel': platform.release(),
        'system': field('/etc/os-release', 'PRETTY_NAME'),
        'virtual': output('systemd-detect-virt') or
                   ('yes' if 'hypervisor' in field('/proc/cpuinfo', 'flags')
                    else 'no'),
    }


def package(name):
    return output('dpkg-query', '-W', '-f', '${Version}', name)


def versions(root, build):
    return {
        'fdlink': output('git', '-C', root, 'describe', '--always', '--dirty',
                         '--tags') or 'unknown',
        'build type': output('sh', '-c', 'meson introspect --buildoptions "$0"'
                             ' | python3 -c "import json,sys; print(next('
                             'o[\'value\'] for o in json.load(sys.stdin) '
                             'if o[\'name\'] == \'buildtype\'))"', build),
        'cc': output('cc', '-dumpfullversion'),
        'Go': output('go', 'version').replace('go version ', ''),
        'gVisor': package('golang-gvisor-gvisor-dev'),
        'libpcap': package('libpcap0.8'),
        'lwIP': lwip(root),
    }


def lwip(root):
    try:
        with open(os.path.join(root, '.lwip', 'debian', 'changelog'),
                  encoding='utf-8') as f:
            return f.readline().split('(')[1].split(')')[0]
    except (OSError, IndexError):
        return ''

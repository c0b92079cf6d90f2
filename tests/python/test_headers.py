# SPDX-License-Identifier: Apache-2.0
"""The module's declarations are those of include/fdlink. No compiler sees them
when the module is used."""

import os
import re
import shlex
import subprocess

import cffi
import pytest

import fdlink
from fdlink import _lib

INCLUDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..',
                       'include')
SYSTEM = 'struct iovec { void *iov_base; size_t iov_len; };'


def preprocess():
    """The headers, without those of the system."""
    out = subprocess.run(
        shlex.split(os.environ.get('CC', 'cc')) +
        ['-E', '-D__extension__=', '-I' + INCLUDE, '-x', 'c', '-'],
        input='#include <fdlink/open.h>', stdout=subprocess.PIPE,
        universal_newlines=True, check=True).stdout
    lines, ours = [], False
    for line in out.splitlines():
        mark = re.match(r'# \d+ "(.*?)"', line)
        if mark:
            ours = mark[1].startswith(INCLUDE)
        elif ours:
            lines.append(line)
    return '\n'.join(lines)


class Headers:
    def __init__(self):
        self.ffi = cffi.FFI()
        self.ffi.cdef(SYSTEM + preprocess())
        self.lib = self.ffi.dlopen(_lib.SONAME)

    def is_same(self, mine, real):
        """Whether a type that the module declares is the real one. It may have
        int for an enum, and a pointer to void for any."""
        if real.kind == 'enum':
            return (mine.kind == 'primitive' and
                    _lib.ffi.sizeof(mine) == self.ffi.sizeof(real))
        if mine.cname == 'void *':
            return real.kind == 'pointer'
        return mine.cname == real.cname


@pytest.fixture(scope='module')
def headers():
    return Headers()


def names(text):
    return sorted(set(re.findall(text, _lib.ffi._cdefsources[0])))


@pytest.mark.parametrize('name', names(r'struct fdl_\w+(?= \{)'))
def test_struct(headers, name):
    mine, real = _lib.ffi.typeof(name), headers.ffi.typeof(name)
    assert ([(field, f.offset) for field, f in mine.fields] ==
            [(field, f.offset) for field, f in real.fields])
    assert _lib.ffi.sizeof(mine) == headers.ffi.sizeof(real)
    for (field, a), (_, b) in zip(mine.fields, real.fields):
        assert headers.is_same(a.type, b.type), field


@pytest.mark.parametrize('name', names(r'\bfdl_\w+(?=\()'))
def test_function(headers, name):
    mine = _lib.ffi.typeof(getattr(_lib.lib, name))
    real = headers.ffi.typeof(getattr(headers.lib, name))
    assert headers.is_same(mine.result, real.result)
    assert len(mine.args) == len(real.args)
    for a, b in zip(mine.args, real.args):
        assert headers.is_same(a, b), '%s is not %s' % (a, b)


@pytest.mark.parametrize('name', [name for name in dir(fdlink)
                                  if name.isupper()])
def test_constant(headers, name):
    assert getattr(fdlink, name) == getattr(headers.lib, 'FDL_' + name)

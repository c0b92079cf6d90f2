# SPDX-License-Identifier: Apache-2.0
"""Rounds in turns, and who else was using the machine meanwhile."""

import json
import os
import resource
import shlex
import subprocess
import sys
import time

# More than so much of a core used by others spoils a run.
OTHERS = 0.1
# Rounds of what is held against no target, and of that in a quick run.
FEW, FEWER = 5, 3


def busy_seconds():
    """CPU seconds that the whole machine has worked."""
    with open('/proc/stat', encoding='ascii') as f:
        fields = [int(x) for x in f.readline().split()[1:9]]
    idle = fields[3] + fields[4]
    return (sum(fields) - idle) / os.sysconf('SC_CLK_TCK')


def cpu_of(pid):
    """CPU seconds of a process by its clock (clock_getcpuclockid(3))."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0


class Runner:
    def __init__(self, rounds, retries, say):
        self.rounds = rounds
        self.few = FEW if rounds > FEW else min(rounds, FEWER)
        self.retries = retries      # runs that may be repeated
        self.say = say
        self.samples = {}
        self.failures = {}
        self.disturbed = {}
        self.alive = []         # pids of ours that are not waited for yet

    def own_seconds(self):
        """CPU seconds of this process and of all that it started."""
        own = sum(cpu_of(pid) for pid in self.alive)
        for who in resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN:
            usage = resource.getrusage(who)
            own += usage.ru_utime + usage.ru_stime
        return own

    def measure(self, argv):
        """(metrics or None, error text, cores used by others)."""
        start = time.monotonic(), busy_seconds(), self.own_seconds()
        try:
            done = subprocess.run(argv, capture_output=True, text=True,
                                  timeout=30, check=False)
        except subprocess.TimeoutExpired:
            return None, 'no result in 30 s', 0
        seconds = time.monotonic() - start[0]
        others = (busy_seconds() - start[1] -
                  (self.own_seconds() - start[2])) / seconds
        # What two ticks can hide.
        others -= 2 / os.sysconf('SC_CLK_TCK') / seconds
        if done.returncode:
            return None, done.stderr.strip().split('\n')[-1], others
        return json.loads(done.stdout), '', others

    def measure_calm(self, argv):
        result = self.measure(argv)
        if result[2] > OTHERS and self.retries:
            self.retries -= 1
            result = self.measure(argv)
        return result

    def block(self, name, contenders, rounds=None, seldom=()):
        """contenders: {name: argv}. All of them, round by round."""
        self.say(name)
        self.samples[name] = {who: [] for who in contenders}
        disturbed = []
        for i in range(rounds or self.rounds):
            for who, argv in contenders.items():
                if (name, who) in self.failures or i >= self.few and who in seldom:
                    continue
                others = self.run_once(name, who, argv)
                if others > OTHERS:
                    disturbed.append(others)
        self.samples[name] = {who: s for who, s in self.samples[name].items()
                              if s}
        if disturbed:
            self.disturbed[name] = (len(disturbed), max(disturbed))

    def run_once(self, name, who, argv):
        """Returns the cores used by others."""
        metrics, why, others = self.measure_calm(argv)
        if metrics is None:
            self.fail(name, who, argv, why)
            self.samples[name][who] = []
            return 0
        self.samples[name][who].append(metrics)
        return others

    def fail(self, name, who, argv, why):
        self.failures[name, who] = why
        print('bench: %s: %s: %s\n       %s' %
              (name, who, why, shlex.join(argv)), file=sys.stderr)

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The documents know the kinds and options of locators that the library has.

    locator_documents.py SOURCE-FOLDER LOCATOR_FORMS FDLINK

LOCATOR_FORMS prints the library's tables, and FDLINK is the command. The
public header, two manual pages, the command's help and the completion for bash
each must have all kinds and all options, in the tables' order, with the form of
the value and with the kinds that take the option.
"""

import re
import subprocess
import sys


class Tables:
    def __init__(self, text):
        self.kinds, self.values, self.takers = [], {}, {}
        for what, word, *rest in map(str.split, text.splitlines()):
            if what == 'option':
                self.values[word] = rest[0] if rest else ''
                self.takers[word] = []
                continue
            self.kinds.append((word, rest[0].replace('NOTHING', '')))
            for option in rest[1:]:
                self.takers[option].append(word)
        forms = dict(self.kinds)
        for option, value in self.values.items():
            if value == 'ADDRESS':
                each = [forms[kind] for kind in self.takers[option]]
                self.values[option] = '|'.join(dict.fromkeys(each))

    def names(self):
        """Each form of each kind: "fd:N", "fd:NAME"."""
        return [f'{kind}:{form}' for kind, forms in self.kinds
                for form in forms.split('|')]

    def options(self):
        return [f'{option}={value}' if value else option
                for option, value in self.values.items()]

    def said_of_takers(self):
        """The sentence that each option's paragraph starts with."""
        words = {word for word, _ in self.kinds}
        return ['every kind' if set(takers) == words else ', '.join(takers)
                for takers in self.takers.values()]


def first_sentence(text):
    said = re.match(r'For ([^.]*)\.', ' '.join(text.split()))
    return said[1] if said else ''


def header(text):
    """fdl_open's comment: items at the first tab, their text further in."""
    rows = re.findall(r'^ \*\t([a-z]\S*)((?:\s.*)?\n(?: \*\t\t.*\n)*)', text,
                      re.M)
    return [(item, first_sentence(said.replace(' *\t', '')))
            for item, said in rows]


def page(text):
    """The lists of kinds and options: items, and the lines after them."""
    rows = []
    for item, said in re.findall(r'^\.It (Cm .*)\n(.*)', text, re.M):
        item = re.sub(r'\b(Cm|Ar) ', '', item.replace(' Ns = Ns ', '=')
                      .replace(' : Ns ', ':').replace(' | ', '|'))
        rows.append((item.replace(' , ', ', '), first_sentence(said)))
    return rows


def completion(folder, kinds):
    """The kinds, and the words that each takes, as bash completes them."""
    script = '. "$0"; echo "$_fdlink_kinds"; ' \
             'for kind; do _fdlink_options "$kind"; done'
    out = subprocess.run(['bash', '-c', script,
                          folder + '/cli/completion/fdlink.bash', *kinds],
                         check=True, capture_output=True,
                         encoding='utf-8').stdout
    return [line.split() for line in out.splitlines()]


class Judge:
    failed = False

    def same(self, where, what, have, want):
        if have == want:
            return
        self.failed = True
        print(f'{where}: {what} are\n  {have}\nand in the library\n  {want}')

    def rows(self, where, rows, tables):
        """rows: (item, kinds that its text is for)."""
        names = [name for item, _ in rows if ':' in item.split('=')[0]
                 for name in item.split(', ')]
        options = [row for row in rows if ':' not in row[0].split('=')[0]]
        self.same(where, 'the kinds', names, tables.names())
        self.same(where, 'the options', [item for item, _ in options],
                  tables.options())
        self.same(where, "the options' kinds", [said for _, said in options],
                  tables.said_of_takers())


def read(*path):
    with open('/'.join(path), encoding='utf-8') as file:
        return file.read()


def main(folder, forms, command):
    tables = Tables(subprocess.run([forms], check=True, capture_output=True,
                                   encoding='utf-8').stdout)
    judge = Judge()
    text = read(folder, 'include/fdlink/open.h')
    judge.rows('include/fdlink/open.h', header(text.split('*/')[2]), tables)
    text = read(folder, 'doc/man/fdl_open.3')
    judge.rows('doc/man/fdl_open.3', page(text), tables)
    text = read(folder, 'doc/man/fdlink.1')
    text = text[text.index('.Ss Locators'):text.index('.Sh SIGNALS')]
    judge.rows('doc/man/fdlink.1', page(text), tables)

    usage = subprocess.run([command, 'info', '--help'], check=True,
                           capture_output=True, encoding='utf-8').stdout
    judge.same('fdlink info --help', 'the kinds',
               re.findall(r'\b[a-z]+:[A-Z:|]*', usage), tables.names())

    words = [kind for kind, _ in tables.kinds]
    kinds, *each = completion(folder, words)
    judge.same('cli/completion', 'the kinds', kinds, words)
    for kind, have in zip(words, each):
        want = []
        for option, value in tables.values.items():
            if kind in tables.takers[option]:
                shown = value if re.match('[a-z]', value) else ''
                want.append(option + ('=' if value else '') + shown)
        judge.same('cli/completion', f'the options of {kind}', have, want)
    return judge.failed


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

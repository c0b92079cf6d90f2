# SPDX-License-Identifier: Apache-2.0
"""What a document quotes of a file is in that file: a code block whose first line
is ```LANGUAGE FILE.

    quotes.py SOURCE
"""

import pathlib
import re
import sys

QUOTE = re.compile(r'^```\w+ (\S+)\n(.*?)^```$', re.MULTILINE | re.DOTALL)

source = pathlib.Path(sys.argv[1])
quotes = 0
for document in [source / 'README.md', *sorted(source.glob('doc/*.md'))]:
    for name, text in QUOTE.findall(document.read_text(encoding='utf-8')):
        quotes += 1
        path = source / name
        if not path.is_file():
            sys.exit('%s quotes %s, which is not there' % (document, name))
        if text not in path.read_text(encoding='utf-8'):
            sys.exit('%s quotes what is not in %s; copy it again:\n%s' %
                     (document, name, text))
if not quotes:
    sys.exit('no document quotes anything: is %s the source?' % source)
print(quotes, 'quotes')

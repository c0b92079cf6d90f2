# SPDX-License-Identifier: Apache-2.0
"""The site is whole: each link leads to something, each page is reached from the
front page, and nothing is loaded from elsewhere.

    site.py SOURCE FOLDER
"""

import html.parser
import pathlib
import re
import subprocess
import sys
import urllib.parse

VOID = {'meta', 'link', 'br', 'img', 'hr', 'input', 'col'}
# What the browser loads by itself.
LOADED = {'link': 'href', 'img': 'src', 'script': 'src', 'iframe': 'src'}

source, folder = map(pathlib.Path, sys.argv[1:3])
problems = []


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.name = path.name
        self.ids, self.links, self.open = [], [], []
        self.title = self.text = ''
        self.feed(path.read_text(encoding='utf-8'))
        self.close()
        if self.open:
            self.complain('<%s> is not closed' % self.open[-1])

    def complain(self, text):
        problems.append('%s: %s' % (self.name, text))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if 'id' in attrs:
            self.ids.append(attrs['id'])
        if tag == 'script' or any(name.startswith('on') for name in attrs):
            self.complain('has a script')
        if tag == 'img' and not attrs.get('alt'):
            self.complain('an image has no alt')
        if tag == 'a' and 'href' in attrs:
            self.links.append(attrs['href'])
        target = attrs.get(LOADED.get(tag), '')
        if target:
            if re.match(r'([a-z]+:)?//|data:', target):
                self.complain('loads %s from elsewhere' % target)
            self.links.append(target)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.complain('</%s> closes nothing, at line %d' %
                          (tag, self.getpos()[0]))

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == 'title':
            self.title += data


def follow(pages):
    """Check each link. Returns where each page leads: {name: {(page, id)}}"""
    found = {}
    for page in pages.values():
        found[page.name] = set()
        for link in page.links:
            if re.match(r'(https?|mailto):', link):
                continue
            path, anchor = urllib.parse.urldefrag(link)
            path = urllib.parse.unquote(path) or page.name
            anchor = urllib.parse.unquote(anchor)
            if not (folder / path).is_file():
                page.complain('a link to %s, which is not there' % link)
            elif anchor and anchor not in pages[path].ids:
                page.complain('a link to %s: no such place' % link)
            else:
                found[page.name].add((path, anchor))
    return found


def reached(found):
    seen, front = set(), [('index.html', '')]
    while front:
        where = front.pop()
        if where not in seen:
            seen.add(where)
            front += found.get(where[0], ())
    return seen


def expected(pages):
    """Files of the site, and places in them, for all that doc/ has."""
    for path in source.glob('doc/*.md'):
        yield path.stem + '.html', ''
    for path in (source / 'doc/man').glob('*.[1-9]'):
        other = re.match(r'\.so man\d/(\S+)', path.read_text(encoding='utf-8'))
        if other:
            yield other[1] + '.html', path.stem
        else:
            yield path.name + '.html', ''
    for name in pages:
        yield name, ''


def check_names(pages):
    """Markdown takes some underscores for emphasis."""
    for path in source.glob('doc/*.md'):
        page = pages[path.stem + '.html']
        text = re.sub('^```.*', '', path.read_text(encoding='utf-8'),
                      flags=re.MULTILINE)
        for name in set(re.findall(r'\b[A-Za-z]+_\w+', text)):
            if name not in page.text:
                page.complain('has no %s, unlike %s' % (name, path.name))


def main():
    for path in folder.glob('*'):
        path.unlink()
    # Exit status 77: a tool is missing.
    status = subprocess.run([source / 'scripts/site', folder]).returncode
    if status:
        sys.exit(status)
    pages = {path.name: Page(path) for path in folder.glob('*.html')}
    for page in pages.values():
        for name in {name for name in page.ids if page.ids.count(name) > 1}:
            page.complain('two places are called #' + name)
    titles = [page.title for page in pages.values()]
    for page in pages.values():
        if titles.count(page.title) > 1:
            page.complain('another page has the title ' + page.title)
    check_names(pages)
    seen = reached(follow(pages))
    for page, anchor in expected(pages):
        if (page, anchor) not in seen:
            problems.append('no link leads from the front page to %s#%s' %
                            (page, anchor))
    for text in re.findall(r'url\(.*?\)|@import.*',
                           (folder / 'style.css').read_text()):
        problems.append('style.css loads ' + text)
    print('\n'.join(problems) or 'every link and every page is right')
    sys.exit(1 if problems else 0)


main()

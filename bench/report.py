#!/usr/bin/env python3
"""Makes report.md, results.json and plots of what bench/run measured.

report.py DIRECTORY, which has lookup.md and lookup.json, and perhaps
expiry.md and expiry.json.
"""

import json
import pathlib
import shutil
import subprocess
import sys

# The order of the bars.
STORES = [
    'tokendb', 'tokendb-bounded', 'tokendb-noindex', 'raw', 'lmdb', 'sqlite',
    'redis', 'postgres'
]
COLORS = ['#1f5fa8', '#e08a1e', '#8a8a8a']

STYLE = '''set terminal pngcairo size 1300,650 font "sans,12"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set boxwidth 0.9
set grid ytics lc rgb "#d0d0d0"
set border 3
set tics nomirror
set datafile missing "-"
set key outside top center horizontal
set xtics rotate by -25
'''


def medians(results, section, measure):
    """The medians of a measure by store."""
    return {
        row['store']: row['median']
        for row in results.get('rows', [])
        if row['section'] == section and row['measure'] == measure
    }


def short(number):
    """A number as it is written above a bar."""
    for limit, unit in ((1e9, 'G'), (1e6, 'M'), (1e3, 'k')):
        if number >= limit:
            return f'{number / limit:.3g}{unit}'
    return f'{number:.3g}'


def plot(directory, name, title, axis, series, log=False, lines=()):
    """Draws clustered bars: `series` are pairs of a name and values by store.

    `lines` are pairs of a label and a value. Returns the file's name, or
    nothing if there is nothing to draw.
    """
    series = [(label, values) for label, values in series if values]
    stores = [s for s in STORES if any(s in values for _, values in series)]
    if not stores:
        return None
    data = []
    for store in stores:
        cells = [values.get(store, '-') for _, values in series]
        data.append(' '.join([store] + [str(cell) for cell in cells]))
    (directory / f'{name}.dat').write_text('\n'.join(data) + '\n')

    script = [STYLE, f'set output "{name}.png"', f'set title "{title}"',
              f'set ylabel "{axis}"', 'set format y "%.0s%c"']
    numbers = [v for _, values in series for v in values.values()]
    numbers += [value for _, value in lines]
    if log:
        script.append('set logscale y')
        # Bars of the least are to be seen as well.
        script.append(f'set yrange [{min(numbers) / 3}:{max(numbers) * 3}]')
    else:
        script.append(f'set yrange [0:{max(numbers) * 1.15}]')
    for label, value in lines:
        script.append(
            f'set arrow from graph 0, first {value} to graph 1, first {value} '
            f'nohead dt 2 lw 1.5 lc rgb "#b02020" front')
        script.append(
            f'set label "{label}: {short(value)}" at graph 0.99, first {value} '
            f'right offset 0,0.6 tc rgb "#b02020" font "sans,10" front')
    width = 1 / (len(series) + 1)
    parts = []
    for i, (label, values) in enumerate(series):
        parts.append(f'"{name}.dat" using {i + 2}:xtic(1) title "{label}" '
                     f'lc rgb "{COLORS[i % len(COLORS)]}"')
        for j, store in enumerate(stores):
            if store in values:
                at = j + (i - (len(series) - 1) / 2) * width
                script.append(
                    f'set label "{short(values[store])}" at first {at}, first '
                    f'{values[store]} center offset 0,0.5 font "sans,8" front')
    script.append('plot ' + ', '.join(parts))
    (directory / f'{name}.gp').write_text('\n'.join(script) + '\n')
    subprocess.run(['gnuplot', f'{name}.gp'], cwd=directory, check=True)
    for suffix in ('.gp', '.dat'):
        (directory / f'{name}{suffix}').unlink()
    return f'{name}.png'


def plots(directory, lookup):
    """Draws all plots; returns their file names."""

    def speed(measure):
        return {s: 1e6 / m for s, m in medians(lookup, 'lookup', measure).items()}

    limits = {
        row['measure']: row['median']
        for row in lookup.get('rows', []) if row['section'] == 'limits'
    }
    lines = []
    hop = 'random hop in a table of a 64-byte line for each token'
    if hop in limits:
        lines.append(('random memory accesses, one after the other',
                      1e9 / limits[hop]))
    sha = 'SHA-256 of a 40-byte secret'
    if sha in limits:
        lines.append(('SHA-256 of secrets', 1e9 / limits[sha]))
    drawn = [
        plot(directory, 'lookups', 'Look-ups by digest, one thread',
             'look-ups/s', [('one by one', speed('hit, uniform')),
                            ('batches of 64', speed('hit, batches of 64')),
                            ('misses', speed('miss'))], log=True, lines=lines),
        plot(directory, 'latency',
             'Mixed load at a steady rate: from when an operation was due',
             'microseconds',
             [(p, medians(lookup, 'mixed', f'steady rate, {p}'))
              for p in ('p50', 'p99', 'p99.9')], log=True),
        plot(directory, 'load', 'Bulk load', 'tokens/s',
             [('tokens/s', medians(lookup, 'load', 'bulk load'))]),
        plot(directory, 'space', 'Space on disk', 'bytes a token',
             [('bytes', medians(lookup, 'space', 'on disk'))]),
    ]
    return [name for name in drawn if name is not None]


def main():
    directory = pathlib.Path(sys.argv[1])
    results = {}
    report = ['# tokendb beside other stores\n']
    parts = [('lookup', 'Look-ups and changes'), ('expiry', 'Expiry at scale')]
    tables = []
    for name, title in parts:
        if not (directory / f'{name}.json').exists():
            continue
        results[name] = json.loads((directory / f'{name}.json').read_text())
        text = (directory / f'{name}.md').read_text()
        tables.append(f'# {title}\n\n{text}')
        for suffix in ('.json', '.md'):
            (directory / f'{name}{suffix}').unlink()
    (directory / 'results.json').write_text(json.dumps(results, indent=2) + '\n')
    if shutil.which('gnuplot'):
        for image in plots(directory, results['lookup']):
            report.append(f'![{pathlib.Path(image).stem}]({image})\n')
    else:
        report.append('There are no plots: gnuplot was not found.\n')
    (directory / 'report.md').write_text('\n'.join(report + tables))


if __name__ == '__main__':
    main()

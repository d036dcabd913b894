// Draws the groups of a result that name a chart, as SVG files. A group's `chart` has
//   name     of the file, to which the metric is added when there are several
//   metrics  one chart for each
//   x        what row.x is (a number); without it, bars by entry and row
//   scales   of the axes x and y, "linear" or "log", which is the default
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { count } from './table.mjs'

const axes = {
  rate: 'operations per second',
  megabytesPerSecond: 'MB/s',
  p50: 'µs, median',
  p99: 'µs, 99 of 100 messages',
  nanoseconds: 'ns per message',
  cpuPerMessage: 'CPU µs per operation, both sides',
}

const bytesLabel =
  "datum.value >= 1048576 ? datum.value / 1048576 + ' MiB' : datum.value >= 1024 ? " +
  "datum.value / 1024 + ' KiB' : datum.value + ' B'"

function points(group, metric) {
  return group.rows.flatMap((row) =>
    Object.entries(row.entries)
      .filter(([, entry]) => entry[metric])
      .map(([name, entry]) => ({ x: row.x, row: row.label, entry: name, ...entry[metric] })),
  )
}

function color(names) {
  return {
    field: 'entry',
    type: 'nominal',
    title: null,
    sort: names,
    legend: { orient: 'top', labelLimit: 0 },
  }
}

function lines(group, metric, names) {
  const isBytes = group.chart.x === 'message size'
  const scales = { x: 'log', y: 'log', ...group.chart.scales }
  const x = {
    field: 'x',
    type: 'quantitative',
    title: group.chart.x,
    scale: scales.x === 'log' ? { type: 'log', base: isBytes ? 2 : 10 } : { type: scales.x },
    axis: { values: group.rows.map((row) => row.x), labelExpr: isBytes ? bytesLabel : undefined },
  }
  const scale = { type: scales.y }
  const y = { field: 'median', type: 'quantitative', title: axes[metric], scale }
  return {
    width: 640,
    height: 400,
    encoding: { x, color: color(names) },
    layer: [
      { mark: { type: 'line', point: true }, encoding: { y } },
      {
        mark: { type: 'rule', opacity: 0.4 },
        encoding: { y: { ...y, field: 'min' }, y2: { field: 'max' } },
      },
    ],
  }
}

/** On a logarithmic axis, from half of the smallest value on. */
function bars(metric, names, values) {
  const medians = values.map((value) => value.median)
  const from = Math.min(...medians) / 2
  const y = { field: 'entry', type: 'nominal', title: null, sort: names }
  const x = {
    field: 'median',
    type: 'quantitative',
    title: axes[metric],
    scale: { type: 'log', domain: [from, Math.max(...medians) * 2] },
    axis: { format: '~s' },
  }
  return {
    facet: {
      row: {
        field: 'row',
        type: 'nominal',
        title: null,
        header: { labelAngle: 0, labelAlign: 'left' },
      },
    },
    spec: {
      width: 480,
      encoding: { y },
      layer: [
        {
          mark: 'bar',
          encoding: { x, x2: { datum: from }, color: { ...color(names), legend: null } },
        },
        {
          mark: { type: 'text', align: 'left', dx: 4 },
          encoding: { x, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
  }
}

function specification(group, metric, machine) {
  const values = points(group, metric).map((point) => ({ ...point, text: count(point.median) }))
  const names = [...new Set(values.map((value) => value.entry))]
  const { cores, cpu, kernel, congestion, node } = machine
  return {
    title: {
      text: group.title,
      subtitle: `${cores} x ${cpu}, Linux ${kernel.split('-')[0]}, ${congestion}, Node ${node}; medians${
        group.chart.x ? ', lines from minimum to maximum' : ''
      }`,
      anchor: 'start',
    },
    background: 'white',
    padding: 12,
    data: { values },
    ...(group.chart.x ? lines(group, metric, names) : bars(metric, names, values)),
    config: { font: 'sans-serif', view: { stroke: null } },
  }
}

/** Writes `<prefix><name>.svg` files into `folder`; returns their names. */
export async function drawCharts(result, folder, prefix) {
  const groups = result.groups.filter((group) => group.chart)
  if (groups.length === 0) return []
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const files = []
  for (const group of groups) {
    const { name, metrics } = group.chart
    for (const metric of metrics) {
      const { spec } = vegaLite.compile(specification(group, metric, result.machine))
      const view = new vega.View(vega.parse(spec), { renderer: 'none' })
      const suffix = metrics.length > 1 ? `-${metric}` : ''
      const file = `${prefix}${name}${suffix}.svg`
      writeFileSync(join(folder, file), `${await view.toSVG()}\n`)
      files.push(file)
    }
  }
  return files
}

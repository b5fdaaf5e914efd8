import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CurveSeries, plotData, valueText } from '../../../runtime/console/curve-options.ts'

const series = (as: CurveSeries['as'], ...values: (number | null)[]): CurveSeries => ({
  label: '',
  color: '--good',
  values,
  as,
})

test('bars stand upon each other: the sums are drawn, the highest first', () => {
  const data = plotData({
    times: [1, 2],
    unit: 'count',
    series: [series('bars', 1, 2), series('bars', 10, null), series('line', 5, null)],
  })
  assert.deepEqual(data, [
    [1, 2],
    [11, 2],
    [1, 2],
    [5, null],
  ])
})

test('values are written in their unit', () => {
  assert.equal(valueText(0.256, 'share'), '25.6%')
  assert.equal(valueText(1536, 'bytes'), '1.5 KB')
  assert.equal(valueText(2.3456, 'number'), '2.35')
})

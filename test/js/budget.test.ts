import { expect, test } from 'vitest'
import { Budget } from '../../lib/budget.js'

test('is spent after its limit, and renewed by reset', () => {
  const budget = new Budget(4)
  for (let i = 0; i < 4; i++) {
    expect(budget.spent).toBe(false)
    budget.spend()
  }
  expect(budget.spent).toBe(true)
  budget.reset()
  expect(budget.spent).toBe(false)
  budget.spend(4)
  expect(budget.spent).toBe(true)
})

test('is spent when the turn has taken long', () => {
  const budget = new Budget(1_000_000)
  budget.spend()
  const start = performance.now()
  while (performance.now() - start < 3);
  for (let i = 0; i < 100; i++) budget.spend()
  expect(budget.spent).toBe(true)
})

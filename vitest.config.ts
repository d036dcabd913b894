import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const loader = fileURLToPath(new URL('dist/cjs/load.cjs', import.meta.url))

export default defineConfig({
  // CommonJS in TypeScript is not for vite to transform: the built loader stands in for it.
  resolve: { alias: [{ find: /^.*\/load\.cjs$/, replacement: loader }] },
  test: {
    include: ['test/**/*.test.ts'],
    server: { deps: { external: [/\/load\.cjs$/] } },
    pool: 'forks',
    execArgv: ['--expose-gc'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})

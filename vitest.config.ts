import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  test: {
    include: ['{electron,renderer,build,test}/**/*.test.ts'],
    pool: 'forks',
    // Real processes, a real browser and two cores: enough time that a slow machine does not fail a right program.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    reporters: ['default'],
  },
});

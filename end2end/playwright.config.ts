import { defineConfig, devices } from '@playwright/test';
import { fileURLToPath } from 'node:url';

// The tests run against the real release binary, on a port and a data folder of its own.
const root = fileURLToPath(new URL('..', import.meta.url));
const port = Number(process.env.NATTER_E2E_PORT ?? 3199);
const data = `${root}target/natter/end2end`;

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  retries: 0, // a test that only passes sometimes is a fault
  timeout: 30_000,
  expect: { timeout: 5_000 },
  reporter: [['list'], ['html', { open: 'never' }]],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    trace: 'retain-on-failure',
    launchOptions: {
      // The distribution's browser; Playwright downloads none.
      executablePath: process.env.NATTER_CHROMIUM ?? '/usr/bin/chromium',
      // No sandbox: containers and root have none. The rest keeps the browser off the network.
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
    },
  },
  projects: [{ name: 'chromium', use: { ...devices['Desktop Chrome'] } }],
  webServer: {
    command: `rm -rf '${data}' && exec '${root}target/release/natter' serve --listen 127.0.0.1:${port} --data-dir '${data}'`,
    url: `http://127.0.0.1:${port}/`,
    env: { NATTER_RATE_LIMITS: 'off' },
    reuseExistingServer: false,
    timeout: 20_000,
    stdout: 'ignore',
    stderr: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 3_000 },
  },
});

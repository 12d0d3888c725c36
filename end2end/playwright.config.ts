import { defineConfig, devices } from '@playwright/test';

// Every test runs against the real binary, in a process and a data folder of its own: see
// tests/support/server.ts. NATTER_BIN names another binary than the release.
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
    trace: 'retain-on-failure',
    launchOptions: {
      // The distribution's browser; Playwright downloads none.
      executablePath: process.env.NATTER_CHROMIUM ?? '/usr/bin/chromium',
      // No sandbox: containers and root have none. The rest keeps the browser off the network.
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
    },
  },
  projects: [{ name: 'chromium', use: { ...devices['Desktop Chrome'] } }],
});

import type { Page } from '@playwright/test';

/** Files that the browser itself makes, so that they are real. */
export async function picture(page: Page, width: number, height: number, colour = 'teal', type = 'image/png'): Promise<Buffer> {
  const bytes = await page.evaluate(
    async ([width, height, colour, type]) => {
      const canvas = new OffscreenCanvas(width as number, height as number);
      const context = canvas.getContext('2d')!;
      context.fillStyle = colour as string;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = 'white';
      context.beginPath();
      context.arc(canvas.width / 2, canvas.height / 2, Math.min(canvas.width, canvas.height) / 3, 0, 7);
      context.fill();
      const blob = await canvas.convertToBlob({ type: type as string });
      return [...new Uint8Array(await blob.arrayBuffer())];
    },
    [width, height, colour, type] as const,
  );
  return Buffer.from(bytes);
}

/** A film of about two seconds. */
export async function film(page: Page): Promise<Buffer> {
  const bytes = await page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    canvas.width = 320;
    canvas.height = 180;
    document.body.append(canvas);
    const context = canvas.getContext('2d')!;
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/mp4', videoBitsPerSecond: 200_000 });
    const parts: Blob[] = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    const done = new Promise((stopped) => (recorder.onstop = stopped));
    recorder.start();
    for (let at = 0; at < 50; at++) {
      context.fillStyle = `hsl(${at * 7} 60% 50%)`;
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.fillStyle = 'white';
      context.fillRect(at * 6, 80, 20, 20);
      await new Promise((next) => setTimeout(next, 40));
    }
    recorder.stop();
    await done;
    canvas.remove();
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
  });
  return Buffer.from(bytes);
}

interface Given { name: string; type: string; bytes: Buffer }

/** What somebody drags or pastes, as the browser hands it over. */
export async function carry(page: Page, event: 'drop' | 'paste' | 'dragover', selector: string, given: Given[]): Promise<void> {
  const files = given.map(({ name, type, bytes }) => ({ name, type, bytes: [...bytes] }));
  await page.evaluate(
    ([event, selector, files]) => {
      const data = new DataTransfer();
      for (const { name, type, bytes } of files) data.items.add(new File([new Uint8Array(bytes)], name, { type }));
      const options = { bubbles: true, cancelable: true };
      const made = event === 'paste'
        ? new ClipboardEvent('paste', { ...options, clipboardData: data })
        : new DragEvent(event, { ...options, dataTransfer: data });
      document.querySelector(selector)!.dispatchEvent(made);
    },
    [event, selector, files] as const,
  );
}

/**
 * `node build/icons.mjs`: draws every icon file from its SVG source in assets/ with Chromium. The results are committed; run this after a source
 * has changed.
 *
 *   assets/tray/STATETemplate.png, and at 2x     macOS, 20×16, black: the system inks it
 *   assets/tray/STATE-on-{dark,light}.ico        Windows, 16 20 24 32
 *   assets/tray/STATE-on-{dark,light}.png, at 2x  Linux, 24×24
 *   assets/icons/NxN.png                         Linux application icon
 *   assets/icon.png, icon.ico, icon.icns         the window, Windows, macOS
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { root } from './paths.mjs';

export const states = ['running', 'busy', 'paused', 'failed', 'stopped'];
const assets = join(root, 'assets');
/** The ink of the tray sources (for dark panels), and the one for light panels: the mark's own. */
const ink = { dark: '#e9ebee', light: '#23272c' };

/** @typedef {{ width: number, height: number, png: Buffer, rgba: Buffer }} Picture */
/** @typedef {(svg: string, width: number, height?: number) => Promise<Picture>} Draw */

/** @param {(draw: Draw) => Promise<void>} work */
async function withChromium(work) {
  const browser = await chromium.launch({
    executablePath: process.env['DRYDOCK_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage();
    await work(async (svg, width, height = width) => {
      const { png, rgba } = await page.evaluate(
        async ({ source, w, h }) => {
          const image = new Image(w, h);
          image.src = `data:image/svg+xml;base64,${btoa(source)}`;
          await image.decode();
          const canvas = new OffscreenCanvas(w, h);
          const context = canvas.getContext('2d');
          if (!context) throw new Error('no canvas');
          context.drawImage(image, 0, 0, w, h);
          const blob = await canvas.convertToBlob({ type: 'image/png' });
          return {
            png: [...new Uint8Array(await blob.arrayBuffer())],
            rgba: [...context.getImageData(0, 0, w, h).data],
          };
        },
        // The size is the source's own, so that Chromium draws and does not scale.
        {
          source: svg.replace(/ width="\d+" height="\d+"/, ` width="${width}" height="${height}"`),
          w: width,
          h: height,
        },
      );
      return { width, height, png: Buffer.from(png), rgba: Buffer.from(rgba) };
    });
  } finally {
    await browser.close();
  }
}

/**
 * A Windows icon: small pictures as bitmaps (32-bit BGRA from the bottom up, and an empty mask), from 256 on as PNG.
 * @param {Picture[]} pictures
 */
export function ico(pictures) {
  const head = Buffer.alloc(6 + 16 * pictures.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let offset = head.length;
  const bodies = pictures.map((picture, index) => {
    const body = picture.width >= 256 ? picture.png : bitmap(picture);
    const at = 6 + 16 * index;
    head.writeUInt8(picture.width % 256, at);
    head.writeUInt8(picture.height % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(body.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += body.length;
    return body;
  });
  return Buffer.concat([head, ...bodies]);
}

/** @param {Picture} picture */
function bitmap({ width, height, rgba }) {
  const maskRow = Math.ceil(width / 32) * 4;
  const out = Buffer.alloc(40 + width * height * 4 + maskRow * height);
  out.writeUInt32LE(40, 0);
  out.writeInt32LE(width, 4);
  out.writeInt32LE(height * 2, 8);
  out.writeUInt16LE(1, 12);
  out.writeUInt16LE(32, 14);
  out.writeUInt32LE(width * height * 4, 20);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 4;
      const to = 40 + ((height - 1 - y) * width + x) * 4;
      out[to] = rgba[from + 2] ?? 0;
      out[to + 1] = rgba[from + 1] ?? 0;
      out[to + 2] = rgba[from] ?? 0;
      out[to + 3] = rgba[from + 3] ?? 0;
    }
  }
  return out;
}

/** Apple's container: a type and a PNG each. @param {[type: string, picture: Picture][]} entries */
export function icns(entries) {
  const parts = entries.map(([type, { png }]) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(png.length + 8, 4);
    return Buffer.concat([head, png]);
  });
  const head = Buffer.alloc(8);
  head.write('icns', 'latin1');
  head.writeUInt32BE(8 + parts.reduce((sum, part) => sum + part.length, 0), 4);
  return Buffer.concat([head, ...parts]);
}

/** @param {Draw} draw @param {string} state */
async function drawTray(draw, state) {
  const source = (/** @type {string} */ name) =>
    readFileSync(join(assets, 'logo', `tray-${state}-${name}.svg`), 'utf8');
  const write = (/** @type {string} */ name, /** @type {Buffer} */ bytes) =>
    writeFileSync(join(assets, 'tray', name), bytes);
  write(`${state}Template.png`, (await draw(source('Template-20'), 20, 16)).png);
  write(`${state}Template@2x.png`, (await draw(source('Template-20'), 40, 32)).png);
  for (const [panel, color] of Object.entries(ink)) {
    const square = source('16').replaceAll(ink.dark, color);
    const sizes = [];
    for (const size of [16, 20, 24, 32]) sizes.push(await draw(square, size));
    write(`${state}-on-${panel}.ico`, ico(sizes));
    write(`${state}-on-${panel}.png`, (await draw(square, 24)).png);
    write(`${state}-on-${panel}@2x.png`, (await draw(square, 48)).png);
  }
}

/** @param {Draw} draw */
async function drawApplication(draw) {
  const source = readFileSync(join(assets, 'icon.svg'), 'utf8');
  /** @type {Map<number, Picture>} */
  const pictures = new Map();
  for (const size of [16, 20, 24, 32, 40, 48, 64, 128, 256, 512, 1024]) pictures.set(size, await draw(source, size));
  const at = (/** @type {number} */ size) => /** @type {Picture} */ (pictures.get(size));
  for (const size of [16, 24, 32, 48, 64, 128, 256, 512])
    writeFileSync(join(assets, 'icons', `${size}x${size}.png`), at(size).png);
  writeFileSync(join(assets, 'icon.png'), at(512).png);
  writeFileSync(join(assets, 'icon.ico'), ico([16, 20, 24, 32, 40, 48, 64, 256].map(at)));
  /** @type {[string, number][]} */
  const apple = [
    ['ic11', 32],
    ['ic12', 64],
    ['ic07', 128],
    ['ic13', 256],
    ['ic14', 512],
    ['ic10', 1024],
  ];
  writeFileSync(join(assets, 'icon.icns'), icns(apple.map(([type, size]) => [type, at(size)])));
}

if (process.argv[1]?.endsWith('icons.mjs')) {
  for (const folder of ['tray', 'icons']) {
    rmSync(join(assets, folder), { recursive: true, force: true });
    mkdirSync(join(assets, folder), { recursive: true });
  }
  await withChromium(async (draw) => {
    for (const state of states) await drawTray(draw, state);
    await drawApplication(draw);
  });
}

// A film for Chromium's fake camera: a picture held still before it.
import { writeFile } from 'node:fs/promises';

const WIDTH = 640;
const HEIGHT = 480;

/** Writes a Y4M film of an SVG picture (a QR code) on a white card, for `openBrowser({ camera: path })`. */
export async function writeFilm(browser, svg, path) {
  const page = await browser.newPage();
  const grey = await page.evaluate(draw, { svg, width: WIDTH, height: HEIGHT });
  await page.close();
  // 4:2:0: a byte of brightness for each pixel, and no colour for each square of four.
  const colour = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), Buffer.from(grey, 'base64'), colour]);
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
  await writeFile(path, Buffer.concat([header, frame, frame]));
}

/** Runs in the browser: the picture's brightness, row by row. */
async function draw({ svg, width, height }) {
  const picture = new Image();
  picture.src = `data:image/svg+xml;base64,${btoa(svg)}`;
  await picture.decode();
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext('2d');
  pen.fillStyle = 'white';
  pen.fillRect(0, 0, width, height);
  const side = height - 40;
  pen.drawImage(picture, (width - side) / 2, 20, side, side);
  const { data } = pen.getImageData(0, 0, width, height);
  let bytes = '';
  for (let at = 0; at < data.length; at += 4) {
    bytes += String.fromCharCode(Math.round(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]));
  }
  return btoa(bytes);
}

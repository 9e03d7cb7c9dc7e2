// Finds a code in a picture of the camera, away from the thread that draws the screen.
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';

// Without this the library fetches its wasm from a public server.
prepareZXingModule({ overrides: { locateFile: () => wasm } });

self.onmessage = async ({ data }: MessageEvent<ImageData>) => {
  try {
    const [found] = await readBarcodes(data, {
      formats: ['QRCode'],
      tryHarder: true,
      maxNumberOfSymbols: 1,
    });
    self.postMessage({ text: found?.isValid ? found.text : null });
  } catch (cause) {
    self.postMessage({ failed: String(cause) });
  }
};

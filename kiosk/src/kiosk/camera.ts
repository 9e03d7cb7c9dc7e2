// Looks through the camera for a code. Pictures stay in memory and are gone as soon as they are looked at.
// Invariant: after `stop` the camera is off.

/** The frame that is looked at: a square in the middle of the picture, at most this wide. */
const LOOK_AT_PX = 720;
const BETWEEN_LOOKS_MS = 80;
/** The same code held on is told once in so long. */
const SAME_AGAIN_MS = 3_000;

export interface Seen {
  started: () => void;
  code: (text: string) => void;
  /** No camera, not allowed, or the decoder does not run. */
  unavailable: () => void;
}

export class Camera {
  readonly #video: HTMLVideoElement;
  readonly #seen: Seen;
  readonly #canvas = document.createElement('canvas');
  #stream: MediaStream | undefined;
  #worker: Worker | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #last = { text: '', at: -Infinity };

  constructor(video: HTMLVideoElement, seen: Seen) {
    this.#video = video;
    this.#seen = seen;
  }

  async start(): Promise<void> {
    try {
      // Missing altogether where the page is not trusted (plain HTTP over the network).
      const devices = navigator.mediaDevices as MediaDevices | undefined;
      if (!devices) throw new Error('no access to cameras here');
      const stream = await devices.getUserMedia({
        audio: false,
        video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      // The person may have gone on while the camera was starting.
      if (this.#stopped) return stopTracks(stream);
      this.#stream = stream;
      stream.getVideoTracks()[0]?.addEventListener('ended', () => this.#fail());
      this.#video.srcObject = stream;
      await this.#video.play();
      this.#worker = new Worker(new URL('./decode.worker.ts', import.meta.url), { type: 'module' });
      this.#worker.onerror = () => this.#fail();
      this.#worker.onmessage = ({ data }) => this.#looked(data);
      this.#seen.started();
      this.#look();
    } catch {
      this.#fail();
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    if (this.#stream) stopTracks(this.#stream);
    this.#video.srcObject = null;
  }

  #look(): void {
    const { videoWidth, videoHeight } = this.#video;
    const side = Math.min(videoWidth, videoHeight);
    const context = this.#canvas.getContext('2d', { willReadFrequently: true });
    if (side === 0 || !context) {
      this.#later();
      return;
    }
    const size = Math.min(side, LOOK_AT_PX);
    this.#canvas.width = size;
    this.#canvas.height = size;
    const [left, top] = [(videoWidth - side) / 2, (videoHeight - side) / 2];
    context.drawImage(this.#video, left, top, side, side, 0, 0, size, size);
    const picture = context.getImageData(0, 0, size, size);
    this.#worker?.postMessage(picture, [picture.data.buffer]);
  }

  #looked(answer: { text?: string | null; failed?: string }): void {
    if (this.#stopped) return;
    if (answer.failed !== undefined) {
      this.#fail();
      return;
    }
    const { text } = answer;
    const now = performance.now();
    if (text && (text !== this.#last.text || now - this.#last.at > SAME_AGAIN_MS)) {
      this.#last = { text, at: now };
      this.#seen.code(text);
    }
    this.#later();
  }

  #later(): void {
    if (!this.#stopped) this.#timer = setTimeout(() => this.#look(), BETWEEN_LOOKS_MS);
  }

  #fail(): void {
    if (this.#stopped) return;
    this.stop();
    this.#seen.unavailable();
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

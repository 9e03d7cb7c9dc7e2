// Two soft tones before a new token. A browser lets a page sound only after somebody touched it once.

const TONES = [
  { hertz: 784, after: 0 },
  { hertz: 587, after: 0.32 },
];
const LASTS_S = 1.1;
const LOUDNESS = 0.5;

export class Chime {
  #audio: AudioContext | undefined;

  /** Tries to get the sound; true when the browser allows it. */
  async enable(): Promise<boolean> {
    try {
      this.#audio ??= new AudioContext();
      // Where it is not allowed the promise stays open until somebody touches the page.
      await Promise.race([this.#audio.resume(), new Promise((over) => setTimeout(over, 300))]);
      return this.#audio.state === 'running';
    } catch {
      return false;
    }
  }

  ring(): void {
    const audio = this.#audio;
    if (audio?.state !== 'running') return;
    for (const { hertz, after } of TONES) {
      const start = audio.currentTime + after;
      const tone = new OscillatorNode(audio, { type: 'sine', frequency: hertz });
      const gain = new GainNode(audio, { gain: 0 });
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, start + LASTS_S);
      tone.connect(gain).connect(audio.destination);
      tone.start(start);
      tone.stop(start + LASTS_S);
    }
  }

  close(): void {
    void this.#audio?.close();
  }
}

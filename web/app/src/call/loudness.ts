/** Calls back with whether someone speaks in a stream, when that changes. */
export function watchLoudness(stream: MediaStream, tell: (speaks: boolean) => void): () => void {
  if (!stream.getAudioTracks().length) return () => {};
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let last = false, until = 0;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    if (power > 0.02) until = Date.now() + 400;
    const now = Date.now() < until;
    if (now !== last) tell((last = now));
  }, 120);
  return () => { clearInterval(timer); void context.close(); };
}

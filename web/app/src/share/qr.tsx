import { useEffect, useState } from "preact/hooks";

/** A QR code of a text, drawn as one path. The encoder is loaded when it is first shown. */
export function QrCode({ text }: { text: string }) {
  const [code, setCode] = useState<{ path: string; size: number } | null>(null);
  useEffect(() => {
    let stale = false;
    void import("qr").then(({ encodeQR }) => {
      const rows = encodeQR(text, "raw", { border: 2 }) as boolean[][];
      const path = rows.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ""))).join("");
      if (!stale) setCode({ path, size: rows.length });
    });
    return () => { stale = true; };
  }, [text]);
  return (
    <svg class="qr" role="img" aria-label="QR code of the link" viewBox={`0 0 ${code?.size ?? 1} ${code?.size ?? 1}`} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" /><path d={code?.path ?? ""} fill="#000" />
    </svg>
  );
}

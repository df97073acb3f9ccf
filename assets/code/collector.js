const PAUSE = 80; // milliseconds between two messages with output

/**
 * Collect what a program prints and `post` it now and then. After `most` characters the rest is dropped, and `cut` becomes true.
 * The page has a limit of its own, because a program can post messages itself.
 */
export function collector(post, most) {
  const decoders = { out: new TextDecoder(), err: new TextDecoder() };
  let kept = 0, waiting = [], sent = 0;
  const collected = {
    cut: false,
    send() {
      if (waiting.length) post({ pieces: waiting });
      waiting = [];
      sent = performance.now();
    },
    add(kind, text) {
      const room = text.slice(0, most - kept);
      collected.cut ||= room.length < text.length;
      kept += room.length;
      if (room) waiting.push([kind, room]);
      if (room && performance.now() - sent > PAUSE) collected.send();
    },
    writer: (kind) => ({
      isatty: true,
      write(bytes) {
        if (!collected.cut) collected.add(kind, decoders[kind].decode(bytes, { stream: true }));
        return bytes.length;
      },
    }),
  };
  return collected;
}

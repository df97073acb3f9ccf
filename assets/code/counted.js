/** Make the worker's `fetch` report the bytes that it has loaded, and return it. Runtimes load their files with it. */
export function counted(worker, post) {
  const plain = worker.fetch.bind(worker);
  let seen = 0;
  worker.fetch = async (...request) => {
    const answer = await plain(...request);
    if (!answer.ok || !answer.body) return answer;
    const count = (chunk, stream) => {
      seen += chunk.length;
      post({ loaded: seen });
      stream.enqueue(chunk);
    };
    return new Response(answer.body.pipeThrough(new TransformStream({ transform: count })), { headers: answer.headers });
  };
  return worker.fetch;
}

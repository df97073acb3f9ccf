// What a run has shown: its state in words, what the program printed, and the tests with what they expected and got.
import { useEffect, useRef } from "react";

/** `run` is what the runner shows; `skip` sends the answer without waiting for its tests, where that is possible. */
export function Output({ run, look, skip }) {
  const pieces = run.pieces ?? [];
  const root = useRef(null);
  const grown = pieces.length > 0 || Boolean(run.error);
  const midline = pieces.length > 0 && !pieces.at(-1)[1].endsWith("\n");
  useEffect(() => {
    if (run.phase !== "idle") root.current.scrollIntoView({ block: "nearest" });
  }, [run.phase, grown, run.cases]);
  return (
    <div ref={root} className={run.phase === "idle" ? undefined : look.output} data-output={run.phase === "idle" ? undefined : ""}>
      <p role="status" className={run.phase === "idle" ? "sr-only" : run.failed ? look.wrong : look.status}>
        {run.message}
      </p>
      {run.phase === "loading" && (
        <div className={look.track} aria-hidden="true">
          <div className={look.bar_done} style={{ width: `${Math.round(run.part * 100)}%` }} />
        </div>
      )}
      {skip && (
        <button type="button" onClick={skip} className={look.skip}>
          Send without the tests
        </button>
      )}
      {grown && (
        <pre className={look.printed} tabIndex={0} role="region" aria-label="Output">
          <Pieces pieces={pieces} look={look} />
          {run.error && <span className={look.error}>{(midline ? "\n" : "") + run.error}</span>}
        </pre>
      )}
      {run.cut && <p className={look.cut}>Only the first 20,000 characters are shown.</p>}
      <div aria-live="polite">{run.cases?.length > 0 && <Cases cases={run.cases} look={look} />}</div>
    </div>
  );
}

function Pieces({ pieces, look }) {
  return pieces.map(([kind, text], index) => (
    <span key={index} className={kind === "err" ? look.error : undefined}>
      {text}
    </span>
  ));
}

function Cases({ cases, look }) {
  return (
    <ul aria-label="Tests" className={look.cases}>
      {cases.map((one) => (
        <li key={one.name}>
          <details open={!one.passed} className={look.one}>
            <summary className={look.case_name}>
              <span className={one.passed ? look.passed : look.failed}>{one.passed ? "✓ Passed" : "✗ Failed"}</span>
              <span className={look.name}>{one.name}</span>
              <span className={look.took}>{one.seconds.toFixed(2)} s</span>
            </summary>
            <dl className={look.facts}>
              <Fact name="Input" text={one.input} look={look} />
              <Fact name="Expected" text={one.expected} look={look} />
              {one.error ? <Fact name="Error" text={one.error} look={look} wrong /> : <Fact name="Got" text={one.got} look={look} />}
              {one.printed.length > 0 && (
                <Fact name="Printed" look={look}>
                  <Pieces pieces={one.printed} look={look} />
                </Fact>
              )}
            </dl>
          </details>
        </li>
      ))}
    </ul>
  );
}

const LONGEST = 2000; // characters of an input or a result that are shown

function Fact({ name, text, look, wrong, children }) {
  const shown = text && text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return (
    <>
      <dt className={look.fact}>{name}</dt>
      <dd className={wrong ? look.value_wrong : look.value}>{children ?? shown}</dd>
    </>
  );
}

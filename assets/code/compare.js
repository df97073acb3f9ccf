// Whether what a case returned is what it expects. The check of the exercises' own solutions has the same rules.
const NEAR = 1e-9;

function same(got, expected) {
  if (typeof got === "number" && typeof expected === "number") {
    if (Number.isInteger(got) && Number.isInteger(expected)) return got === expected;
    return Math.abs(got - expected) <= NEAR * Math.max(1, Math.abs(got), Math.abs(expected));
  }
  if (Array.isArray(got) && Array.isArray(expected)) {
    return got.length === expected.length && got.every((one, index) => same(one, expected[index]));
  }
  if (Array.isArray(got) || Array.isArray(expected)) return false;
  if (got && expected && typeof got === "object" && typeof expected === "object") {
    const names = Object.keys(got);
    return names.length === Object.keys(expected).length && names.every((name) => Object.hasOwn(expected, name) && same(got[name], expected[name]));
  }
  return got === expected;
}

const ordered = (value) =>
  value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, ordered(value[name])]))
    : Array.isArray(value)
      ? value.map(ordered)
      : value;

// Numbers by their size, so that 1 and 1.0000000001 have the same neighbors; else by their JSON text.
const byValue = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [one, other] = [JSON.stringify(ordered(a)), JSON.stringify(ordered(b))];
  return one < other ? -1 : Number(one > other);
};

/** Whether the JSON texts `got` and `expected` hold equal values, in any order of a top-level list if `unordered`. */
export function matches(got, expected, unordered) {
  let [mine, theirs] = [JSON.parse(got), JSON.parse(expected)];
  if (unordered && Array.isArray(mine) && Array.isArray(theirs)) [mine, theirs] = [mine.toSorted(byValue), theirs.toSorted(byValue)];
  return same(mine, theirs);
}

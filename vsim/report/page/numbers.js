// Numbers for reading, and the difference of two points.
function rounded(value, digits = 3) {
  const text = value.toLocaleString("en-US", { maximumSignificantDigits: digits });
  return text === "-0" ? "0" : text.replace("-", "−");
}

function amount(metric, value) {
  if (metric.fraction) return `${rounded(value * 100)} %`;
  const scales = data.formats[metric.unit];
  if (scales) {
    const [, divisor, suffix] = value === 0 ? [0, 1, metric.unit] : scales.find(([least]) => Math.abs(value) >= least) || scales.at(-1);
    return `${rounded(value / divisor)} ${suffix}`;
  }
  if (metric.unit === "1/s") return `${rounded(value)}/s`;
  return metric.unit === "1" ? rounded(value) : `${rounded(value)} ${metric.unit}`;
}

function signed(metric, value) {
  const text = amount(metric, Math.abs(value));
  const points = metric.fraction ? text.replace(" %", " percentage points") : text;
  return value === 0 ? "no difference" : `${value > 0 ? "+" : "−"}${points}`;
}

// b minus a, replication by replication: both saw the same workload in each (Law, Simulation Modeling, 10.2.1)
function difference(a, b) {
  if (!a[4] || !b[4] || a[4].length !== b[4].length) return { mean: b[0] - a[0] };
  const pairs = a[4].map((value, i) => (value === null || b[4][i] === null ? null : b[4][i] - value)).filter((x) => x !== null);
  if (!pairs.length) return { mean: b[0] - a[0] };
  const n = pairs.length;
  const mean = pairs.reduce((sum, x) => sum + x, 0) / n;
  const student = data.students[n];
  if (n < 2 || student === undefined) return { mean };
  const spread = Math.sqrt(pairs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1));
  const half = student * spread / Math.sqrt(n);
  return { mean, low: mean - half, high: mean + half };
}

function differs(metric, a, b) {
  const { mean, low, high } = difference(a, b);
  const text = signed(metric, mean);
  if (low === undefined || (low === mean && high === mean)) return text;
  return `${text} (${signed(metric, low)} to ${signed(metric, high)})`;
}

// where a value is on an axis, in percent of its length
function place(scale, value) {
  const bounded = Math.min(Math.max(value, scale.low), scale.high);
  const part = scale.log
    ? Math.log(bounded / scale.low) / Math.log(scale.high / scale.low)
    : (bounded - scale.low) / (scale.high - scale.low);
  return 100 * part;
}

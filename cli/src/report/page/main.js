// Puts it together.

function lead() {
  const examples = Math.max(0, ...RUNS.map((run) => run.size));
  const names = RUNS.length === 1 ? RUNS[0].name : `${RUNS.length} runs`;
  const curve = CURVES[0];
  const at = curve && curve.run.size ? ` At a radius of 0, ${called(curve)} certifies ${percent(accuracy(curve, 0))}.` : '';
  byId('lead').textContent = `${names}, ${grouped(examples)} examples.${at}`;
  document.title = `${names}: certified top-k accuracy`;
}

lead();
startCurves();
startTables();
startExamples();
startCompare();
document.documentElement.dataset.ready = 'yes';

// The report's table, and how the runs were made.

function startTables() {
  const heads = ['Run', 'k', 'Examples', 'Abstain', 'ACR', 'Median', ...DATA.radii.map((radius) => `r ≥ ${radius}`)];
  const rows = DATA.table.map(({ run, cells }) => [RUNS[run].name, ...cells]);
  byId('accuracies').append(table('Certified accuracy at radii, as report.md and report.csv have it', heads, rows));
  byId('legend').textContent = DATA.legend.replace('Numbered columns', 'r columns');
  const notes = RUNS.flatMap((run) => [
    ...run.notes.map(([head, text]) => el('p', { class: 'note' }, el('strong', {}, head), `: ${text}`)),
    run.failed.length ? el('details', { class: 'note' },
      el('summary', {}, `${grouped(run.failed.length)} examples of ${run.name} could not be certified`),
      el('ul', {}, run.failed.slice(0, 200).map((failed) => el('li', {}, failed)))) : null,
  ]);
  byId('notes').append(...notes.filter(Boolean));

  const made = RUNS.filter((run) => run.facts);
  byId('facts').append(table('What the runs depend on', ['', ...made.map((run) => run.name)],
    DATA.facts.map((fact, i) => [fact, ...made.map((run) => run.facts[i])])));
  byId('alpha').append(...made.map((run) => el('p', { class: 'hint' }, el('strong', {}, run.name), `: ${run.alpha}`)));
  byId('foot').textContent = `Made by smoothtopk ${DATA.version}. This page loads nothing from anywhere.`;
}

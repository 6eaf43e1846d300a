// Compiles metrics/grafana/dashboards/*.json against the types of @grafana/schema: dashboard, variables,
// links, every query, and options and field settings by the panel's type. What the types do not know is an
// error, so a misspelled option is one.
//
//     npm ci && node check.mjs [--print]
//
// Run by hand: it needs npm's registry. Exit code 0 if all is well. --print shows the program that is
// compiled. The version of @grafana/schema is that of metrics/compose.yaml; the check compares the two.
import ts from 'typescript';
import {readFileSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const metrics = join(here, '../../../metrics');
const wrong = [];

// Each type of panel, the folder of its types, and whether they have settings of fields of their own.
const kinds = {
  timeseries: ['timeseries', 'TimeSeriesPanelCfg', true],
  stat: ['stat', 'StatPanelCfg', false],
  bargauge: ['bargauge', 'BarGaugePanelCfg', false],
  'state-timeline': ['statetimeline', 'StateTimelinePanelCfg', true],
  table: ['table', 'TablePanelCfg', true],
  heatmap: ['heatmap', 'HeatmapPanelCfg', true],
};
const raw = '@grafana/schema/dist/esm/raw';

// JSON has no enums: their values stand for them. Everything else stays, optional or not.
const prelude = `
import type * as board from '${raw}/dashboard/x/dashboard_types.gen';
import type {PrometheusDataQuery} from '${raw}/composable/prometheus/dataquery/x/PrometheusDataQuery_types.gen';
${Object.values(kinds).map(([folder, file]) =>
    `import type * as ${folder} from '${raw}/composable/${folder}/panelcfg/x/${file}_types.gen';`).join('\n')}
type Any<T> = 0 extends 1 & T ? true : unknown extends T ? true : false;
type Json<T> = Any<T> extends true ? T
  : T extends string ? \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Json<U>[]
  : T extends object ? {[K in keyof T]: Json<T[K]>} : T;
// 'definition' is what the variable editor of the Prometheus data source saves beside 'query'.
type Variable = Json<board.VariableModel> & {definition?: string};
type Whole = Omit<Json<board.Dashboard>, 'panels' | 'templating'> & {templating: {list: Variable[]}};
type Field<Custom> = Omit<Json<board.FieldConfig>, 'custom'> & {custom: Json<Custom>};
// Its base is written for all data sources and takes any type for 'datasource'.
type Query = Omit<Json<PrometheusDataQuery>, 'datasource'> & {datasource: Json<board.DataSourceRef>};
type Of<Kind extends string, Options, Custom> =
  Omit<Json<board.Panel>, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
    type: Kind; options: Json<Options>; targets: Query[];
    fieldConfig: Omit<Json<board.FieldConfigSource>, 'defaults'> & {defaults: Field<Custom>}};
`;

function typeOf(panel) {
  if (panel.type === 'row') return 'Json<board.RowPanel>';
  const kind = kinds[panel.type];
  if (!kind) throw new Error(`no types are known here for panels of type ${panel.type}`);
  return `Of<'${panel.type}', ${kind[0]}.Options, ${kind[2] ? `${kind[0]}.FieldConfig` : '{[K in string]: never}'}>`;
}

// One constant for each panel: excess members are errors only where a literal meets one type.
const constants = [];
const add = (where, type, value) => constants.push({where, text:
  `export const c${constants.length}: ${type} = ${JSON.stringify(value, null, 1)};\n`});
const example = {};
for (const file of readdirSync(join(metrics, 'grafana/dashboards')).sort()) {
  const {panels, ...whole} = JSON.parse(readFileSync(join(metrics, 'grafana/dashboards', file), 'utf8'));
  add(file, 'Whole', whole);
  for (const panel of panels) {
    add(`${file}: panel ${panel.id}, '${panel.title}'`, typeOf(panel), panel);
    example[panel.type] ??= panel;
  }
}
const dashboards = constants.length;

// What must not pass, or the check is worth nothing: of each type of panel a misspelled option, a missing
// one, a value of the wrong type, and some words that no enum has.
const change = (panel, act) => { const copy = structuredClone(panel); act(copy); return copy; };
for (const [type, panel] of Object.entries(example)) {
  const broken = (why, act) => add(`control: ${type}: ${why}`, typeOf(panel), change(panel, act));
  broken('a member that it does not have', p => { p.titel = 'x'; });
  broken('a title that is a number', p => { p.title = 1; });
  if (type === 'row') continue;
  const option = Object.keys(panel.options)[0];
  broken('a misspelled option', p => { p.options[`${option}s`] = p.options[option]; });
  broken('an option of the wrong type', p => { p.options[option] = [[]]; });
  broken('a field setting that it does not have', p => { p.fieldConfig.defaults.custom.colour = 'red'; });
  broken('no such colour mode', p => { p.fieldConfig.defaults.color.mode = 'paletteclassic'; });
  broken('no such format', p => { p.targets[0].format = 'timeseries'; });
  broken('a query without an expression', p => { delete p.targets[0].expr; });
}
add('control: an unknown kind of tooltip', typeOf(example.timeseries),
  change(example.timeseries, p => { p.options.tooltip.mode = 'all'; }));
add('control: an unknown style of lines', typeOf(example.timeseries),
  change(example.timeseries, p => { p.fieldConfig.defaults.custom.drawStyle = 'lines'; }));

// Compiled as one file in memory.
const name = join(here, 'dashboards.ts');
let text = prelude;
for (const c of constants) {
  c.begin = text.length;
  text += c.text;
  c.end = text.length;
}
if (process.argv.includes('--print')) console.log(text);
const options = {strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, types: [],
  moduleResolution: ts.ModuleResolutionKind.Node10};
const host = ts.createCompilerHost(options);
const {readFile, fileExists, getSourceFile} = host;
host.fileExists = f => f === name || fileExists(f);
host.readFile = f => f === name ? text : readFile(f);
host.getSourceFile = (f, ...more) =>
  f === name ? ts.createSourceFile(f, text, ts.ScriptTarget.ES2022) : getSourceFile(f, ...more);
const program = ts.createProgram([name], options, host);

const failed = new Set();
for (const d of ts.getPreEmitDiagnostics(program)) {
  const at = d.file?.fileName === name ? constants.find(c => d.start >= c.begin && d.start < c.end) : null;
  if (at) failed.add(at);
  if (at?.where.startsWith('control')) continue;
  const line = at ? text.slice(d.start).split('\n')[0].trim() : '';
  wrong.push(`${at?.where ?? d.file?.fileName ?? 'types'}: at ${line}\n  `
    + ts.flattenDiagnosticMessageText(d.messageText, '\n  '));
}
const controls = constants.slice(dashboards);
for (const c of controls) if (!failed.has(c)) wrong.push(`${c.where}: is not found wrong`);
const version = JSON.parse(readFileSync(join(here, 'node_modules/@grafana/schema/package.json'), 'utf8')).version;
if (!readFileSync(join(metrics, 'compose.yaml'), 'utf8').includes(`grafana/grafana:${version}`))
  wrong.push(`metrics/compose.yaml starts another Grafana than ${version}, whose types these are`);

for (const w of wrong) console.log(`FAILED: ${w}`);
console.log(`${dashboards} dashboards, panels and rows, ${controls.length} controls, `
  + `@grafana/schema ${version}: ${wrong.length} failures`);
process.exit(wrong.length ? 1 : 0);

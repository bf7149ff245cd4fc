'use strict';

const of = id => document.getElementById(id);
const make = (tag, text, within) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (within) within.append(element);
  return element;
};

let token = '';
let models = [];
let model = null;
/** Values that are no text: the images chosen so far, in base64. */
let images = {};

/** Asks the server; its problems become errors. */
async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw new Error('The server does not answer.');
  }
  const body = await response.json();
  if (response.ok) return body;
  const error = new Error([body.detail, body.hint && `Hint: ${body.hint}`].filter(Boolean).join('\n'));
  error.status = response.status;
  throw error;
}

function complain(error) {
  of('trouble').textContent = error ? error.message : '';
  of('trouble').hidden = !error;
}

async function start() {
  try {
    models = await ask('v1/models');
  } catch (error) {
    of('access').hidden = error.status !== 401;
    // Without a token there is nothing wrong yet.
    complain(error.status === 401 && !token ? null : error);
    return;
  }
  complain(null);
  of('access').hidden = true;
  of('model').replaceChildren(...models.map(({ name }) => make('option', name)));
  of('choice').hidden = models.length < 2;
  show(models[0]);
}

/** Lays out the fields of a model. */
function show(chosen) {
  model = chosen;
  images = {};
  const tasks = model.tasks.map(task => task.name).join(', ');
  of('about').textContent = `${model.name} predicts ${tasks}; ${model.parameters.toLocaleString('en')} parameters.`;
  of('fields').replaceChildren(...model.inputs.map(field));
  of('answer').hidden = true;
  of('none').hidden = false;
  of('time').textContent = '';
  of('desk').hidden = of('call').hidden = false;
  program();
}

function field(input, i) {
  const box = make('div');
  box.className = 'field';
  const label = make('label', undefined, box);
  make('b', input.name, label);
  make('span', input.kind, label);
  label.htmlFor = `input-${i}`;
  const example = model.example[input.name];
  let control;
  if (input.kind === 'category' || input.kind === 'boolean') {
    control = make('select');
    const levels = input.kind === 'boolean' ? ['true', 'false'] : input.levels;
    for (const level of levels) make('option', level, control).value = level;
    make('option', '(no value)', control).value = '';
    control.value = String(example);
  } else if (input.kind === 'image') {
    control = make('input');
    control.type = 'file';
    control.accept = 'image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff';
    control.addEventListener('change', () => choose(input.name, control, box));
  } else if (input.kind === 'text') {
    control = make('textarea');
    control.rows = 2;
    control.value = example;
  } else {
    control = make('input');
    control.inputMode = 'decimal';
    control.value = example;
    control.placeholder = 'no value';
  }
  control.id = `input-${i}`;
  control.addEventListener('input', program);
  box.append(control);
  return box;
}

/** Reads a chosen image. */
function choose(name, control, box) {
  box.querySelector('img')?.remove();
  delete images[name];
  const [file] = control.files;
  if (!file) return program();
  const reader = new FileReader();
  reader.addEventListener('load', () => {
    images[name] = reader.result;
    const picture = make('img', undefined, box);
    picture.src = reader.result;
    picture.alt = `the image chosen for ${name}`;
    program();
  });
  reader.readAsDataURL(file);
}

/** The row as it stands in the fields. */
function row() {
  const value = (input, i) => {
    const text = of(`input-${i}`).value;
    if (input.kind === 'image') return images[input.name] ?? null;
    if (text.trim() === '') return null;
    const number = Number(text);
    if (input.kind === 'number') return Number.isNaN(number) ? text : number;
    if (input.kind === 'boolean') return text === 'true';
    // Levels that are numbers were numbers in the file.
    return typeof model.example[input.name] === 'number' && !Number.isNaN(number) ? number : text;
  };
  return Object.fromEntries(model.inputs.map((input, i) => [input.name, value(input, i)]));
}

const path = () => (models.length > 1 ? `v1/models/${model.name}/predict` : 'v1/predict');

/** Shows how a program asks for the same. */
function program() {
  const short = JSON.stringify({ rows: [row()] }, (_, value) =>
    typeof value === 'string' && value.startsWith('data:') ? 'BASE64' : value);
  const lines = [`curl ${new URL(path(), location.href)}`];
  if (token) lines.push('-H "authorization: Bearer $POLYTASK_TOKEN"');
  lines.push("-H 'content-type: application/json'", `-d '${short.replaceAll("'", "'\\''")}'`);
  of('curl').textContent = lines.join(' \\\n  ');
}

const digits = value => (typeof value === 'number' ? Number(value.toPrecision(5)).toLocaleString('en', { maximumSignificantDigits: 5 }) : value);

/** What a task predicts, in words. */
function said(value) {
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none';
    return value.map(item => (typeof item === 'object' && item !== null ? `${item.text ?? ''} (${item.label ?? ''})` : item)).join(', ');
  }
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(digits(value));
}

function fill(prediction) {
  const body = of('answer').tBodies[0];
  body.replaceChildren();
  for (const task of model.tasks) {
    const line = make('tr', undefined, body);
    make('th', task.name, line).scope = 'row';
    const cell = make('td', undefined, line);
    make('strong', said(prediction[task.name]), cell);
    const shares = Object.entries(prediction[`${task.name} probabilities`] ?? {}).sort((a, b) => b[1] - a[1]);
    for (const [label, share] of shares.slice(0, 8)) {
      const box = make('div', undefined, cell);
      box.className = 'share';
      make('span', label, box);
      make('span', `${(100 * share).toFixed(1)} %`, box);
      const meter = make('meter', undefined, box);
      meter.value = share;
      meter.setAttribute('aria-label', `probability of ${label}`);
    }
    if (shares.length > 8) make('div', `and ${shares.length - 8} more`, cell).className = 'share';
  }
  of('answer').hidden = false;
  of('none').hidden = true;
}

of('row').addEventListener('submit', async event => {
  event.preventDefault();
  of('predict').disabled = true;
  try {
    const start = performance.now();
    const query = of('probabilities').checked ? '?probabilities=true' : '';
    const body = JSON.stringify({ rows: [row()] });
    const { predictions } = await ask(path() + query, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    of('time').textContent = `Answered in ${(performance.now() - start).toFixed(1)} ms.`;
    complain(null);
    fill(predictions[0]);
  } catch (error) {
    complain(error);
    // The predictions of another row would mislead.
    of('answer').hidden = true;
    of('none').hidden = false;
    of('time').textContent = '';
  }
  of('predict').disabled = false;
});

of('access').addEventListener('submit', event => {
  event.preventDefault();
  token = of('token').value.trim();
  start();
});

of('model').addEventListener('change', () => show(models.find(({ name }) => name === of('model').value)));

start();

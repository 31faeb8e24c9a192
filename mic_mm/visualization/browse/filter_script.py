# Copyright (c) mic_mm authors. All rights reserved.
"""The filter of the page: which samples and kinds of tiles are shown."""

FILTER_STYLE = '''
body { max-width: none; }
#filter { position: sticky; top: 0; z-index: 1; background: var(--paper);
  display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: center;
  padding: .6rem 0; border-bottom: 1px solid var(--line); }
#filter[hidden] { display: none; }
#text { font: inherit; padding: .25rem .5rem; width: 16rem; }
.kinds { display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
.sample { border-bottom: 1px solid var(--line); padding-bottom: .6rem; }
.words { margin: 0; font-size: 13px; overflow-wrap: anywhere;
  max-width: none; }
.tiles { display: grid; gap: .8rem; margin-top: .4rem;
  grid-template-columns: repeat(auto-fill,
    minmax(min(100%, calc(.85 * var(--tile))), 1fr)); }
.tiles figure { margin: 0; }
.tiles img { max-width: 100%; height: auto; }
[hidden] { display: none !important; }
'''

FILTER_SCRIPT = '''
'use strict';
(() => {
  const form = document.getElementById('filter');
  const text = document.getElementById('text');
  const boxes = [...form.querySelectorAll('input[name=kind]')];
  const samples = [...document.querySelectorAll('.sample')];

  function show() {
    const hidden = new Set(
      boxes.filter(box => !box.checked).map(box => box.value));
    const words = text.value.toLowerCase().split(' ').filter(Boolean);
    let count = 0;
    for (const sample of samples) {
      const found = words.every(word => sample.dataset.text.includes(word));
      sample.hidden = !found;
      count += found;
      for (const figure of sample.querySelectorAll('figure'))
        figure.hidden = hidden.has(figure.dataset.kind);
    }
    document.getElementById('count').textContent =
      `${count} of ${samples.length}`;
  }

  function read() {
    const state = new URLSearchParams(location.hash.slice(1));
    const hidden = new Set(state.getAll('hide'));
    text.value = state.get('text') || '';
    for (const box of boxes) box.checked = !hidden.has(box.value);
    show();
  }

  function write() {
    const state = new URLSearchParams();
    if (text.value) state.set('text', text.value);
    for (const box of boxes) if (!box.checked) state.append('hide', box.value);
    const hash = state.toString();
    history.replaceState(null, '', hash ? '#' + hash : '#');
    show();
  }

  form.addEventListener('input', write);
  form.addEventListener('submit', event => event.preventDefault());
  window.addEventListener('hashchange', read);
  form.hidden = false;
  read();
})();
'''

// Drawings of 16 by 16, as paths; each always stands beside a word or a label.
export const ICONS = {
  back: 'M10 3 5 8l5 5',
  forth: 'm6 3 5 5-5 5',
  close: 'm4 4 8 8m0-8-8 8',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.5-1.5L14 14',
  plus: 'M8 3v10M3 8h10',
  more: 'M8 3.5v.01M8 8v.01M8 12.5v.01',
  down: 'm4 6 4 4 4-4',
  check: 'm3 8.5 3.5 3.5L13 4.5',
  call: 'M2 6v4h3l4 3V3L5 6H2Zm9.5-.5a3.5 3.5 0 0 1 0 5',
  walk: 'M9 3.5v.01M7 14l1.5-4L6.5 8l.5-3 2 .5 1 2 2 .5M7 8l-1 2.5L4 13m5-4 2 2 .5 3',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-9v3l2 2',
  qr: 'M2 2h4v4H2zm8 0h4v4h-4zM2 10h4v4H2zm8 0h1v1h-1zm3 0h1m-1 3h1m-4 1h1',
  person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-5.5 6a5.5 5.5 0 0 1 11 0',
  flag: 'M4 14V2h8l-2 3 2 3H4',
  cloud: 'M5 12.5h6.5a2.75 2.75 0 0 0 .5-5.5 4 4 0 0 0-7.7-.6A3.1 3.1 0 0 0 5 12.5Z',
  chat: 'M8 2.5a5.5 5.5 0 0 0-4.7 8.3L2.5 13.5l2.8-.8A5.5 5.5 0 1 0 8 2.5Z',
  text: 'M2.5 3.5h11v7H7l-3 2.5v-2.5H2.5z',
  phone: 'M4 2.5h2l1 3-1.5 1a7 7 0 0 0 4 4L10.5 9l3 1v2c0 1-.7 1.5-1.5 1.5C7 13.5 2.5 9 2.5 4 2.5 3.2 3 2.5 4 2.5Z',
  letter: 'M2 3.5h12v9H2zm0 .5 6 5 6-5',
};

export type IconName = keyof typeof ICONS;

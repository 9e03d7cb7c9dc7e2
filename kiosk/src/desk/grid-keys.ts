// Where an arrow key leads from one appointment of the grid.
import type { Block, Column } from './grid';

/**
 * The appointment besides: up and down in the same column, left and right the nearest in time in the next column that
 * has any. Null where there is none; undefined if the key means nothing here.
 */
export function besides(blocks: Block[], columns: Column[], from: string, key: string): string | null | undefined {
  const shown = blocks.filter((block) => block.display !== 'background');
  const here = shown.find((block) => block.id === from);
  if (!here) return undefined;
  const inColumn = (id: string) =>
    shown.filter((block) => block.resourceIds[0] === id).sort((a, b) => a.start.localeCompare(b.start));
  const column = here.resourceIds[0] ?? '';
  switch (key) {
    case 'ArrowUp':
    case 'ArrowDown': {
      const own = inColumn(column);
      return own[own.indexOf(here) + (key === 'ArrowUp' ? -1 : 1)]?.id ?? null;
    }
    case 'ArrowLeft':
    case 'ArrowRight': {
      const order = columns.map(({ practitioner }) => practitioner.id);
      const at = order.indexOf(column);
      const towards = key === 'ArrowLeft' ? order.slice(0, Math.max(0, at)).reverse() : order.slice(at + 1);
      for (const id of towards) {
        const there = inColumn(id);
        if (there.length > 0) return nearest(there, here.start).id;
      }
      return null;
    }
    default:
      return undefined;
  }
}

function nearest(blocks: Block[], start: string): Block {
  const distance = (block: Block) => Math.abs(Date.parse(`${block.start}Z`) - Date.parse(`${start}Z`));
  return blocks.reduce((best, block) => (distance(block) < distance(best) ? block : best));
}

// How the screens are built: one page each for kiosk, board, desk and the demonstration's telephone, to static files that the box embeds.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const PAGES = ['kiosk', 'board', 'desk', 'phone'];

/** The box serves `/kiosk` without an ending; so does `npm run dev`. */
const pagesWithoutEnding: Plugin = {
  name: 'pages-without-ending',
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      const [path, query] = (request.url ?? '/').split('?');
      if (PAGES.some((page) => path === `/${page}`)) {
        request.url = `${path}.html${query ? `?${query}` : ''}`;
      }
      next();
    });
  },
};

export default defineConfig({
  base: '/',
  plugins: [svelte(), pagesWithoutEnding],
  build: {
    target: 'es2022',
    // Fonts and sounds stay files of their own, so that the first paint does not wait for them.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: Object.fromEntries(
        PAGES.map((page) => [page, fileURLToPath(new URL(`./${page}.html`, import.meta.url))]),
      ),
    },
  },
  worker: { format: 'es' },
  server: {
    proxy: { '/api': process.env['CAREPOST_URL'] ?? 'http://127.0.0.1:8080' },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);

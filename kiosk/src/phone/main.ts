import { mount } from 'svelte';
import '../lib/fonts.css';
import '../lib/theme.css';
import App from './App.svelte';

const target = document.getElementById('app') as HTMLElement;
target.replaceChildren();
mount(App, { target });

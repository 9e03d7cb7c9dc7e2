import { mount } from 'svelte';
import '../lib/fonts.css';
import '../lib/theme.css';
import './desk.css';
import App from './App.svelte';

mount(App, { target: document.getElementById('app') as HTMLElement });

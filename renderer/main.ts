/** The window's entry: styles, state, one component. */
import { mount } from 'svelte';
import './theme/app.css';
import App from './App.svelte';
import { startApp } from './state/app.svelte.ts';

startApp();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
mount(App, { target });

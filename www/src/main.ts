import { mount } from 'svelte';
import './app.css';
import { language } from './text/language.svelte';
import App from './ui/App.svelte';

language.detect();
mount(App, { target: document.body });

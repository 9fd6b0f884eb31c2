// @vitest-environment jsdom
import { describeCases } from './cases.js';

describeCases('jsdom');

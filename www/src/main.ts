document.title = 'Graftlab';

export {};

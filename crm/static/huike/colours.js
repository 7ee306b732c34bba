// Pages without the theme's frame are as dark as the person's device.
document.documentElement.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);

using System;
using System.IO;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Shop
{
    /// <summary>A service that reads its settings and a page beside it.</summary>
    public static class Program
    {
        public static void Main(string[] words)
        {
            var port = Environment.GetEnvironmentVariable("PORT") ?? "8080";
            Host.CreateDefaultBuilder(words)
                .ConfigureWebHostDefaults(web => web.UseUrls($"http://0.0.0.0:{port}").Configure(app =>
                {
                    var greeting = app.ApplicationServices.GetRequiredService<IConfiguration>()["Greeting"];
                    var root = app.ApplicationServices.GetRequiredService<IWebHostEnvironment>().WebRootPath;
                    var page = File.ReadAllText(Path.Combine(root, "page.txt")).Trim();
                    app.Run(context => context.Response.WriteAsync($"{greeting} from {page}\n"));
                }))
                .Build()
                .Run();
        }
    }
}
